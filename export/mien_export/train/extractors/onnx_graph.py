"""A network from an ONNX file as a frozen torch module that gradients pass through. Nothing in the file is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import ModelProto, NodeProto, numpy_helper
from torch import Tensor, nn

from mien.errors import SettingError
from mien_export.train.extractors.onnx_operators import OPERATORS, Attributes


class OnnxGraph(nn.Module):
    """One picture tensor in, one out; the constants of the file are buffers, so it moves between devices."""

    def __init__(self, path: Path) -> None:
        """Raises SettingError: the file is missing, broken, has several inputs, or an operator that is unknown here."""
        super().__init__()
        model = _read(path)
        self._nodes = [node for node in model.graph.node if node.op_type != "Constant"]
        unknown = sorted({node.op_type for node in self._nodes} - OPERATORS.keys())
        if unknown:
            raise SettingError(f"{path} uses {', '.join(unknown)}; known are {', '.join(OPERATORS)}")
        self._attributes = [_attributes(node) for node in self._nodes]
        self._buffer_of: dict[str, str] = {}
        for name, value in _constants(model).items():
            self._buffer_of[name] = f"constant{len(self._buffer_of)}"
            self.register_buffer(self._buffer_of[name], value)
        inputs = [value for value in model.graph.input if value.name not in self._buffer_of]
        if len(inputs) != 1:
            raise SettingError(f"{path}: expected one input, got {', '.join(value.name for value in inputs) or 'none'}")
        self._input, self._output = inputs[0].name, model.graph.output[0].name
        self.shape = tuple(size.dim_value for size in inputs[0].type.tensor_type.shape.dim)
        """Of the input; 0 where the file leaves a size open."""

    def forward(self, x: Tensor) -> Tensor:
        """The first output for an input `x`."""
        values: dict[str, Any] = {name: getattr(self, buffer) for name, buffer in self._buffer_of.items()}
        values |= {"": None, self._input: x}
        for node, attributes in zip(self._nodes, self._attributes, strict=True):
            values[node.output[0]] = OPERATORS[node.op_type]([values[name] for name in node.input], attributes)
        result: Tensor = values[self._output]
        return result


def _read(path: Path) -> ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's errors share no base with those of files but this
        raise SettingError(f"{path} is no ONNX model that can be read: {error}") from error


def _constants(model: ModelProto) -> dict[str, Tensor]:
    """Initialisers and constants by name."""
    found = {value.name: numpy_helper.to_array(value) for value in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return {name: torch.from_numpy(value.copy()) for name, value in found.items()}


def _attributes(node: NodeProto) -> Attributes:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
