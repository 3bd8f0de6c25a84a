"""Graphs whose weights are kept in float16 compute as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from mien.errors import SettingError
from mien.manifest import Bundle, read_bundle
from mien.runtime.opening import open_session
from mien_export import command
from mien_export.graphs.half_weights import LEAST, with_half_weights


def test_a_bundle_of_half_the_size_paints_the_same(distinct_bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "halved"
    assert command.main(["onnx", "--bundle", str(distinct_bundle.folder), "--half-weights", "--out", str(out)]) == 0
    halved = read_bundle(out)
    for graph in distinct_bundle.graphs:
        assert halved.graph(graph.name).path.stat().st_size < 0.6 * graph.path.stat().st_size
    sessions = [open_session(one, "generator", "onnxruntime", "fp32") for one in (distinct_bundle, halved)]
    rng = np.random.default_rng(0)
    for name, array in sessions[0].inputs.items():
        array[...] = sessions[1].inputs[name][...] = rng.uniform(0, 1, array.shape)
    for session in sessions:
        session.run()
    for name, output in sessions[0].outputs.items():
        assert np.abs(output - sessions[1].outputs[name]).max() < 0.01


def test_small_and_very_large_weights_stay(distinct_bundle: Bundle) -> None:
    model = onnx.load(distinct_bundle.graph("generator").path)
    weights = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
    large = max(weights, key=lambda tensor: int(np.prod(tensor.dims)))
    values = numpy_helper.to_array(large).copy()
    kinds = {
        tensor.name.removesuffix(".half"): tensor.data_type for tensor in with_half_weights(model).graph.initializer
    }
    assert kinds[large.name] == TensorProto.FLOAT16
    assert all(kinds[t.name] == t.data_type for t in model.graph.initializer if np.prod(t.dims) < LEAST)
    values.flat[0] = 1e6
    large.CopyFrom(numpy_helper.from_array(values, large.name))
    assert large.name in [tensor.name for tensor in with_half_weights(model).graph.initializer]


def test_a_checkpoint_is_refused() -> None:
    with pytest.raises(SettingError, match="--half-weights is for --bundle, got --checkpoint"):
        command.main(["onnx", "--checkpoint", "latest.pt", "--half-weights", "--out", "there"])
