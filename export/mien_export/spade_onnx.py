"""SPADE modulation in ONNX: one node that TensorRT gives to our plug-in, and ONNX Runtime to its function body.

OpenVINO knows no functions: for it the body is put in the node's place.

The function `mien.SpadeModulate` (x, gamma, beta -> out; attributes slope and epsilon as in `mien_kernels.ops`) is made
of standard operators. Statistics are float32, whatever the type of the inputs is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import onnxscript
import torch
from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto, TensorProto, defs, helper

from mien_export import spade  # noqa: F401  # registers the operator

DOMAIN: Final = "mien"
OPERATOR: Final = "SpadeModulate"
VERSION: Final = 1
LEAST_OPSET: Final = 18
"""The first in which ReduceMean takes its axes as an input, as it still does."""

_ATTRIBUTES: Final = ("slope", "epsilon", "plugin_namespace", "plugin_version", "aot")


def spade_node(
    x: str, gamma: str, beta: str, out: str, *, slope: float = 1.0, epsilon: float = 1e-5, name: str = ""
) -> NodeProto:
    """A call of the function on values of these names, each (N, C, H, W) of one floating-point type.

    The last three attributes are for TensorRT: which plug-in, and that its kernel is compiled ahead of time.
    """
    return helper.make_node(
        OPERATOR,
        [x, gamma, beta],
        [out],
        name=name or None,
        domain=DOMAIN,
        slope=slope,
        epsilon=epsilon,
        plugin_namespace=DOMAIN,
        plugin_version=str(VERSION),
        aot=1,
    )


def spade_function(opset: int = LEAST_OPSET) -> FunctionProto:
    """The body that stands in wherever there is no plug-in, in operators of `opset`.

    Raises:
        ValueError: `opset` is below 18.
    """
    if opset < LEAST_OPSET:
        raise ValueError(f"opset: expected {LEAST_OPSET} or more, got {opset}")
    make = helper.make_node
    nodes = [
        make("Constant", [], ["plane"], value_ints=[2, 3]),
        make("Constant", [], ["one"], value_float=1.0),
        _with_callers(make("Constant", [], ["epsilon"]), "value_float", "epsilon"),
        make("Cast", ["x"], ["exact"], to=TensorProto.FLOAT),
        make("ReduceMean", ["exact", "plane"], ["mean"]),
        make("Sub", ["exact", "mean"], ["centred"]),
        make("Mul", ["centred", "centred"], ["squares"]),
        make("ReduceMean", ["squares", "plane"], ["variance"]),
        make("Add", ["variance", "epsilon"], ["positive"]),
        make("Sqrt", ["positive"], ["deviation"]),
        make("Div", ["centred", "deviation"], ["normalised"]),
        make("Cast", ["gamma"], ["exact_gamma"], to=TensorProto.FLOAT),
        make("Add", ["exact_gamma", "one"], ["factor"]),
        make("Mul", ["normalised", "factor"], ["scaled"]),
        make("Cast", ["beta"], ["exact_beta"], to=TensorProto.FLOAT),
        make("Add", ["scaled", "exact_beta"], ["value"]),
        _with_callers(make("LeakyRelu", ["value"], ["activated"]), "alpha", "slope"),
        make("CastLike", ["activated", "x"], ["out"]),
    ]
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_function(DOMAIN, OPERATOR, ["x", "gamma", "beta"], ["out"], nodes, opsets, _ATTRIBUTES)


def _with_callers(node: NodeProto, attribute: str, of_caller: str) -> NodeProto:
    """The node, an attribute of which is one of the call."""
    reference = helper.make_attribute_ref(attribute, AttributeProto.FLOAT)
    reference.ref_attr_name = of_caller
    node.attribute.append(reference)
    return node


def with_spade_function(model: ModelProto) -> ModelProto:
    """A copy of a model that calls the function, with the function in it, in operators of the model's opset."""
    complete = ModelProto()
    complete.CopyFrom(model)
    if not any(function.domain == DOMAIN and function.name == OPERATOR for function in complete.functions):
        opset = next(found.version for found in model.opset_import if found.domain in ("", "ai.onnx"))
        complete.functions.append(spade_function(opset))
    if all(opset.domain != DOMAIN for opset in complete.opset_import):
        complete.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))
    return complete


_FLOATS = ["tensor(float)", "tensor(float16)", "tensor(bfloat16)", "tensor(double)"]


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For `custom_translation_table` of torch.onnx.export; `completed` then gives the model its function."""
    return {torch.ops.mien.spade_modulate.default: _translate}


def completed(program: torch.onnx.ONNXProgram) -> ModelProto:
    """The exported model, able to run where there is no plug-in."""
    return with_spade_function(program.model_proto)


def _translate(x: Any, gamma: Any, beta: Any, slope: float, epsilon: float) -> Any:
    node = onnxscript.values.Op(onnxscript.values.Opset(DOMAIN, VERSION), OPERATOR, _schema())
    return node(
        x, gamma, beta, slope=slope, epsilon=epsilon, plugin_namespace=DOMAIN, plugin_version=str(VERSION), aot=1
    )


@cache
def _schema() -> defs.OpSchema:
    """What the exporter asks of an operator; the model itself carries the function."""
    parameter, attribute, kinds = defs.OpSchema.FormalParameter, defs.OpSchema.Attribute, defs.OpSchema.AttrType
    return defs.OpSchema(
        OPERATOR,
        DOMAIN,
        VERSION,
        inputs=[parameter(name, "T") for name in ("x", "gamma", "beta")],
        outputs=[parameter("out", "T")],
        type_constraints=[("T", _FLOATS, "")],
        attributes=[
            attribute("slope", kinds.FLOAT),
            attribute("epsilon", kinds.FLOAT),
            attribute("plugin_namespace", kinds.STRING),
            attribute("plugin_version", kinds.STRING),
            attribute("aot", kinds.INT),
        ],
    )
