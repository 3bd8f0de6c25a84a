from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from mien.errors import ModelError
from mien.manifest import Bundle
from mien_export.graphs.float16 import EXACT, MOST_WEIGHT, halved
from mien_export.graphs.tidy import ending


def convolution(weight: float) -> ModelProto:
    values = numpy_helper.from_array(np.full((1, 1, 1, 1), weight, np.float32), "weight")
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 4, 4]) for name in ("x", "y")]
    node = helper.make_node("Conv", ["x", "weight"], ["y"])
    return helper.make_model(helper.make_graph([node], "one", ports[:1], ports[1:], [values]))


def test_constants_beside_weights_are_cast_but_for_scales() -> None:
    """Of a convolution of 1 - x, enlarged."""
    model = convolution(0.5)
    (conv,) = model.graph.node
    conv.input[0] = "wide"
    model.graph.node.insert(0, helper.make_node("Resize", ["rest", "", "scales"], ["wide"], mode="nearest"))
    model.graph.node.insert(0, helper.make_node("Sub", ["one", "x"], ["rest"]))
    constants = {"one": np.float32(1), "scales": np.array([1, 1, 2, 2], np.float32)}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
    for dim in model.graph.output[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = 8
    made = halved(model)
    onnx.checker.check_model(made, full_check=True)
    x = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    expected, got = (np.asarray(ReferenceEvaluator(one).run(["y"], {"x": x})) for one in (model, made))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["appearance", "generator"])
def test_it_computes_in_float16_between_float32(bundle: Bundle, name: str) -> None:
    inferred = onnx.shape_inference.infer_shapes(onnx.load_model(bundle.graph(name, "fp16").path))
    graph = inferred.graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    assert {port.type.tensor_type.elem_type for port in (*graph.input, *graph.output)} == {TensorProto.FLOAT}
    kinds |= {port.name: port.type.tensor_type.elem_type for port in graph.output}
    exact = [node.name for node in (*ending(inferred), *(node for node in graph.node if node.op_type in EXACT))]
    for node in graph.node:
        if node.op_type != "Cast":
            expected = TensorProto.FLOAT if node.name in exact else TensorProto.FLOAT16
            assert kinds[node.output[0]] == expected, node
    weights = {value.name: value.data_type for value in graph.initializer}
    used = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    assert {weights[name] for name in used} == {TensorProto.FLOAT16}


def test_what_leaves_is_squashed_in_float32(bundle: Bundle) -> None:
    last = {node.op_type for node in ending(onnx.load_model(bundle.graph("generator").path))}
    assert {"Tanh", "Sigmoid", "DepthToSpace"} <= last
    assert {"Conv", "Resize", "Relu", "AveragePool"}.isdisjoint(last)


def test_a_value_is_cast_once(bundle: Bundle) -> None:
    model = onnx.load_model(bundle.graph("generator", "fp16").path)
    casts = [(node.input[0], node.attribute[0].i) for node in model.graph.node if node.op_type == "Cast"]
    assert len(casts) == len(set(casts))


def test_large_weights_are_refused() -> None:
    onnx.checker.check_model(halved(convolution(MOST_WEIGHT)), full_check=True)
    for weight in (2 * MOST_WEIGHT, np.inf, np.nan):
        with pytest.raises(ModelError, match=r"one, weight: expected weights up to 1024, got .* too large"):
            halved(convolution(weight))
