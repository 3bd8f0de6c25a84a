"""A face embedding from an ONNX file: gradients, its window, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import SettingError

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
onnx: Any = pytest.importorskip("onnx", reason="onnx is not installed: it comes with the extra `train`")

from mien_export.train.extractors.onnx_identity import OnnxIdentity, aligned_window  # noqa: E402

Constants = dict[str, Any]
SHAPE = (2, 3, 9, 8)
FLAT = (2, 6)


def random(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def model_of(nodes: list[Any], shape: tuple[int, ...], constants: Constants) -> Any:
    """A model from `x` to `y`."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    values = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    ends = (
        [helper.make_tensor_value_info("x", floats, shape)],
        [helper.make_tensor_value_info("y", floats, ())],
    )
    graph = helper.make_graph(nodes, "graph", *ends, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def saved(model: Any, folder: Path) -> Path:
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def small_embedding(folder: Path) -> Path:
    """Conv, PReLU, pooling, a constant node, a linear layer: (N, 3, 16, 16) to (N, 5)."""
    make = onnx.helper.make_node
    half = onnx.helper.make_tensor("half", onnx.TensorProto.FLOAT, [], [0.5])
    nodes = [
        make("Constant", [], ["scale"], value=half),
        make("Mul", ["x", "scale"], ["scaled"]),
        make("Conv", ["scaled", "w"], ["conv"], strides=[2, 2], pads=[1, 1, 1, 1]),
        make("PRelu", ["conv", "slope"], ["act"]),
        make("GlobalAveragePool", ["act"], ["pooled"]),
        make("Flatten", ["pooled"], ["flat"]),
        make("Gemm", ["flat", "fc"], ["y"], transB=1),
    ]
    constants = {"w": random(4, 3, 3, 3), "slope": random(4, 1, 1), "fc": random(5, 4)}
    return saved(model_of(nodes, (0, 3, 16, 16), constants), folder)


def test_gradients_reach_the_picture_but_not_the_constants(tmp_path: Path) -> None:
    identity = OnnxIdentity(small_embedding(tmp_path))
    picture = (torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1).requires_grad_()
    vectors = identity(picture)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    (vectors[:, 0].sum()).backward()
    assert picture.grad.abs().sum() > 0
    assert not any(buffer.requires_grad for buffer in identity.buffers())


def test_the_window_brings_the_face_where_the_family_expects_it() -> None:
    left, top, side = aligned_window()
    assert 0 <= left <= 0.25
    assert 0 <= top <= 0.2
    assert 0.6 <= side <= 0.7
    assert left + side / 2 == pytest.approx(0.5, abs=0.01)


def test_a_window_beyond_the_crop_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = OnnxIdentity(small_embedding(tmp_path))
    module = "mien_export.train.extractors.onnx_identity.aligned_window"
    monkeypatch.setattr(module, lambda: (-0.2, -0.1, 1.1))
    assert identity(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    flat = saved(model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], FLAT, {}), tmp_path)
    with pytest.raises(SettingError, match=r"expected an input \(N, 3, side, side\), got \(2, 6\)"):
        OnnxIdentity(flat)
