from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import ModelError
from mien.manifest import Bundle, TensorSpec
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.families.oneshot_live.graphs import OPERATORS, VIEW
from mien_export.graphs.measure import Example, ran
from mien_export.graphs.tracing import OPSET, Traced, exported

EXPORT = Path(__file__).parents[3] / "export"
PICTURE = TensorSpec("picture", "picture", ("batch", 3, 8, 8))


class Bent(nn.Module):
    """Samples a grid, which the live networks must not."""

    def forward(self, picture: Tensor) -> Tensor:
        return F.grid_sample(picture, picture.permute(0, 2, 3, 1)[..., :2], align_corners=False)


def test_nothing_of_the_machine_is_in_a_graph(bundle: Bundle) -> None:
    for graph in bundle.graphs:
        content = graph.path.read_bytes()
        assert str(EXPORT).encode() not in content
        assert b".py" not in content


@pytest.mark.parametrize("name", ["appearance", "generator"])
def test_graphs_are_plain_and_modern(bundle: Bundle, name: str) -> None:
    model = onnx.load_model(bundle.graph(name).path)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    kinds = {node.op_type for node in model.graph.node}
    assert kinds <= OPERATORS
    assert "SpaceToDepth" in kinds  # one operator, and not the three that torch writes
    assert {"Reshape", "Transpose", "GridSample"}.isdisjoint(kinds)


def test_each_of_a_batch_is_as_if_alone(bundle: Bundle, examples: list[Example]) -> None:
    graph = bundle.graph("generator")
    session = OnnxRuntimeSession(graph, batch=2)
    pair = [examples[0].inputs["generator"], examples[1].inputs["generator"]]
    together = ran(session, {name: np.concatenate([arrays[name] for arrays in pair]) for name in pair[0]})
    for k, example in enumerate(examples[:2]):
        for name, array in together.items():
            np.testing.assert_allclose(array[k : k + 1], example.outputs["generator"][name], rtol=0, atol=1e-5)


def test_other_operators_are_refused() -> None:
    with pytest.raises(ModelError, match=r"appearance: expected only .*, got GridSample, Transpose; change"):
        feature = TensorSpec("f8", "feature", ("batch", 3, 8, 8))
        exported(Traced("appearance", Bent(), (PICTURE,), (feature,), OPERATORS))


def test_the_bundle_says_what_the_networks_are(bundle: Bundle) -> None:
    assert (bundle.kind, bundle.size, bundle.side) == ("oneshot-live", "xs", 256)
    widths = [(spec.name, spec.shape[1:]) for spec in bundle.graph("appearance").outputs]
    assert widths == [("f32", (96, 32, 32)), ("f64", (64, 64, 64))]
    tensors = bundle.graph("generator").inputs + bundle.graph("generator").outputs
    seen = {spec.name: spec.sized(1)[2:] for spec in tensors}
    height, width = VIEW.shape
    assert bundle.view == VIEW
    assert {name: (height // h, width // w) for name, (h, w) in seen.items()} == {
        "f32": (8, 8),
        "f64": (4, 4),
        "parsing": (2, 2),
        "warped": (1, 1),
        "hint": (1, 1),
        "generated": (1, 1),
        "mask": (1, 1),
    }
    assert bundle.precisions("generator") == ("fp32", "fp16", "int8")
    assert bundle.precisions("appearance") == ("fp32", "fp16")
