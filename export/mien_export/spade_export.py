"""From torch to ONNX: how `mien::spade_modulate` becomes the node of `mien_export.spade_onnx`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import onnxscript
import torch
from onnx import ModelProto, defs

from mien_export import spade  # noqa: F401  # registers the operator
from mien_export.spade_onnx import DOMAIN, OPERATOR, VERSION, with_spade_function

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
