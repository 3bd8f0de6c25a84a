"""The ONNX function: ONNX Runtime runs its body, with the reference's values; the node says what TensorRT asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien_kernels import reference

onnx: Any = pytest.importorskip("onnx", reason="onnx is not installed: it comes with the extra `train`")
runtime: Any = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")
spade: Any = pytest.importorskip("mien_export.spade_onnx")

TOLERANCE = {"float32": 2e-5, "float16": 2e-3}
"""Of results around 1: rounding of the last places, in the type of the result."""


def model(kind: str, slope: float, opset: int = 18) -> Any:
    helper = onnx.helper
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    values = [helper.make_tensor_value_info(name, element, ["n", "c", "h", "w"]) for name in ("x", "g", "b", "y")]
    node = spade.spade_node("x", "g", "b", "y", slope=slope, epsilon=1e-4)
    graph = helper.make_graph([node], "spade", values[:3], values[3:])
    bare = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return spade.with_spade_function(bare)


@pytest.mark.parametrize("kind", list(TOLERANCE))
@pytest.mark.parametrize("slope", [1.0, 0.2, 0.0])
@pytest.mark.parametrize("mean", [0.0, 500.0])
def test_onnx_runtime_runs_the_body(kind: str, slope: float, mean: float) -> None:
    complete = model(kind, slope)
    onnx.checker.check_model(complete, full_check=True)
    session = runtime.InferenceSession(complete.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    x, gamma, beta = (rng.normal(at, 1, (2, 3, 12, 7)).astype(kind) for at in (mean, 0, 0))
    (got,) = session.run(None, {"x": x, "g": gamma, "b": beta})
    exact, *modulation = (value.astype(np.float32) for value in (x, gamma, beta))
    expected = reference.spade_modulate(exact, modulation[0], modulation[1], slope, 1e-4)
    assert got.dtype == kind
    tolerance = TOLERANCE[kind] + mean * 1e-6  # the body has the mean in one float32
    np.testing.assert_allclose(got.astype(np.float32), expected, rtol=tolerance, atol=tolerance)


def test_the_node_names_the_plug_in() -> None:
    node = spade.spade_node("x", "g", "b", "y")
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    assert (node.op_type, node.domain) == ("SpadeModulate", "mien")
    assert attributes["plugin_namespace"] == b"mien"
    assert attributes["plugin_version"] == b"1"
    assert attributes["aot"] == 1


def test_the_function_enters_a_model_once() -> None:
    once = model("float32", 1.0)
    again = spade.with_spade_function(once)
    assert len(again.functions) == len(once.functions) == 1
    assert [opset.domain for opset in again.opset_import] == ["", "mien"]


def test_the_body_is_in_operators_of_the_models_opset() -> None:
    onnx.checker.check_model(model("float32", 1.0, 21), full_check=True)
    with pytest.raises(ValueError, match="opset: expected 18 or more, got 17"):
        model("float32", 1.0, 17)
