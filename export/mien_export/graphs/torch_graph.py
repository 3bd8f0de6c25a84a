"""An ONNX graph as a torch module: one operator after the other, with the file's constants as buffers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError, in_one_line
from mien_export.spade import spade_modulate

TYPES: Final = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.FLOAT16: torch.float16,
    TensorProto.BFLOAT16: torch.bfloat16,
    TensorProto.INT64: torch.int64,
}
RESIZES: Final = {(b"nearest", b"asymmetric"): "nearest", (b"linear", b"half_pixel"): "bilinear"}
"""Mode and coordinates of `Resize`, and torch's name for it."""
Attributes = dict[str, Any]
Inputs = list[Any]
"""Tensors, or None where an optional input is left out."""
Result = Tensor | tuple[Tensor, ...]
Operator = Callable[[Inputs, Attributes], Result]


def _conv(given: Inputs, attributes: Attributes) -> Tensor:
    x, weight, *bias = given
    x = _padded(x, attributes, 0.0)
    return F.conv2d(
        x,
        weight,
        bias[0] if bias else None,
        attributes.get("strides", 1),
        0,
        attributes.get("dilations", 1),
        attributes.get("group", 1),
    )


def _padded(x: Tensor, attributes: Attributes, value: float) -> Tensor:
    _refuse_automatic(attributes)
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return F.pad(x, (left, right, top, bottom), value=value) if top or left or bottom or right else x


def _refuse_automatic(attributes: Attributes) -> None:
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ValueError(f"automatic padding {attributes['auto_pad']!r}; export the network with explicit pads")


def _max_pool(given: Inputs, attributes: Attributes) -> Tensor:
    x = _padded(given[0], attributes, float("-inf"))
    side, stride = attributes["kernel_shape"], attributes.get("strides", 1)
    dilations, ceil_mode = attributes.get("dilations", 1), bool(attributes.get("ceil_mode", 0))
    return F.max_pool2d(x, side, stride, 0, dilations, ceil_mode)


def _average_pool(given: Inputs, attributes: Attributes) -> Tensor:
    if attributes.get("ceil_mode", 0) or set(attributes.get("dilations", ())) - {1}:
        raise ValueError("AveragePool with ceil_mode or dilations; export the network with whole windows")
    side, stride = attributes["kernel_shape"], attributes.get("strides", 1)
    total = F.avg_pool2d(_padded(given[0], attributes, 0.0), side, stride)
    if attributes.get("count_include_pad", 0):
        return total
    return total / F.avg_pool2d(_padded(torch.ones_like(given[0]), attributes, 0.0), side, stride)


def _batch_norm(given: Inputs, attributes: Attributes) -> Tensor:
    x, scale, bias, mean, variance = given
    return F.batch_norm(x, mean, variance, scale, bias, eps=attributes.get("epsilon", 1e-5))


def _gemm(given: Inputs, attributes: Attributes) -> Tensor:
    a, b, *c = given
    a = a.T if attributes.get("transA", 0) else a
    b = b.T if attributes.get("transB", 0) else b
    out: Tensor = attributes.get("alpha", 1.0) * (a @ b)
    return out + attributes.get("beta", 1.0) * c[0] if c else out


def _flatten(given: Inputs, attributes: Attributes) -> Tensor:
    axis = attributes.get("axis", 1)
    shape = given[0].shape
    return torch.reshape(given[0], (shape[:axis].numel(), shape[axis:].numel()))


def _reshape(given: Inputs, attributes: Attributes) -> Tensor:
    x, wanted = given
    return torch.reshape(x, [x.shape[i] if size == 0 else size for i, size in enumerate(wanted.tolist())])


def _clip(given: Inputs, attributes: Attributes) -> Tensor:
    low, high, *_ = *given[1:], None, None
    return torch.clamp(given[0], attributes.get("min", low), attributes.get("max", high))


def _axes(given: Inputs, attributes: Attributes) -> list[int]:
    return list(given[1].tolist() if len(given) > 1 else attributes["axes"])


def _squeeze(given: Inputs, attributes: Attributes) -> Tensor:
    return torch.squeeze(given[0], _axes(given, attributes))


def _unsqueeze(given: Inputs, attributes: Attributes) -> Tensor:
    out: Tensor = given[0]
    for axis in sorted(_axes(given, attributes)):
        out = out.unsqueeze(axis)
    return out


def _reduce_mean(given: Inputs, attributes: Attributes) -> Tensor:
    return torch.mean(given[0], _axes(given, attributes), keepdim=bool(attributes.get("keepdims", 1)))


def _reduce_sum(given: Inputs, attributes: Attributes) -> Tensor:
    return torch.sum(given[0], _axes(given, attributes), keepdim=bool(attributes.get("keepdims", 1)))


def _cast(given: Inputs, attributes: Attributes) -> Tensor:
    return torch.as_tensor(given[0]).to(TYPES[attributes["to"]])


def _depth_to_space(given: Inputs, attributes: Attributes) -> Tensor:
    x: Tensor = given[0]
    (n, c, h, w), side = x.shape, attributes["blocksize"]
    if attributes.get("mode", b"DCR") == b"CRD":
        return F.pixel_shuffle(x, side)
    cells = x.reshape(n, side, side, c // side**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return cells.reshape(n, c // side**2, h * side, w * side)


def _space_to_depth(given: Inputs, attributes: Attributes) -> Tensor:
    x: Tensor = given[0]
    (n, c, h, w), side = x.shape, attributes["blocksize"]
    cells = x.reshape(n, c, h // side, side, w // side, side).permute(0, 3, 5, 1, 2, 4)
    return cells.reshape(n, side**2 * c, h // side, w // side)


def _instance_norm(given: Inputs, attributes: Attributes) -> Tensor:
    x, scale, bias = given
    return F.instance_norm(x, weight=scale, bias=bias, eps=attributes.get("epsilon", 1e-5))


def _slice(given: Inputs, attributes: Attributes) -> Tensor:
    x, *bounds = given
    if bounds:
        starts, ends, *others = (bound.tolist() for bound in bounds)
    else:  # before opset 10
        starts, ends = attributes["starts"], attributes["ends"]
        others = [attributes["axes"]] if "axes" in attributes else []
    axes = others[0] if others else range(len(starts))
    steps = others[1] if len(others) > 1 else [1] * len(starts)
    taken = [slice(None)] * x.dim()
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        taken[axis] = slice(start, end, step)
    return torch.as_tensor(x[tuple(taken)])


def _split(given: Inputs, attributes: Attributes) -> tuple[Tensor, ...]:
    x, axis = given[0], attributes.get("axis", 0)
    parts = given[1].tolist() if len(given) > 1 else attributes.get("split")  # which it is before opset 13
    if parts is not None:
        return torch.split(x, list(parts), axis)
    return torch.split(x, -(-x.shape[axis] // attributes["num_outputs"]), axis)


def _resize(given: Inputs, attributes: Attributes) -> Tensor:
    x, _, scales, sizes = (*given, None, None)[:4]
    how = attributes.get("mode", b"nearest"), attributes.get("coordinate_transformation_mode", b"half_pixel")
    if how not in RESIZES or (how[0] == b"nearest" and attributes.get("nearest_mode") != b"floor"):
        raise ValueError(f"Resize by {how}; known are {', '.join(map(str, RESIZES))}, nearest with floor")
    if sizes is None:
        sides = [int(length * scale) for length, scale in zip(x.shape[2:], scales.tolist()[2:], strict=True)]
    else:
        sides = sizes.tolist()[2:]
    return F.interpolate(x, size=sides, mode=RESIZES[how], align_corners=None if how[0] == b"nearest" else False)


def _spade(given: Inputs, attributes: Attributes) -> Tensor:
    x, gamma, beta = given
    return spade_modulate(x, gamma, beta, attributes.get("slope", 1.0), attributes.get("epsilon", 1e-5))


def _prelu(given: Inputs, attributes: Attributes) -> Tensor:
    x, slope = given
    return torch.where(x >= 0, x, slope * x)


OPERATORS: Final[dict[str, Operator]] = {
    "Add": lambda x, _: torch.add(x[0], x[1]),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Conv": _conv,
    "DepthToSpace": _depth_to_space,
    "Div": lambda x, _: torch.div(x[0], x[1]),
    "Dropout": lambda x, _: torch.as_tensor(x[0]),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda x, _: torch.mean(x[0], (2, 3), keepdim=True),
    "Identity": lambda x, _: torch.as_tensor(x[0]),
    "InstanceNormalization": _instance_norm,
    "LeakyRelu": lambda x, a: F.leaky_relu(x[0], a.get("alpha", 0.01)),
    "MatMul": lambda x, _: torch.matmul(x[0], x[1]),
    "Max": lambda x, _: functools.reduce(torch.maximum, x),
    "MaxPool": _max_pool,
    "Mul": lambda x, _: torch.mul(x[0], x[1]),
    "PRelu": _prelu,
    "Reciprocal": lambda x, _: torch.reciprocal(x[0]),
    "ReduceMean": _reduce_mean,
    "ReduceSum": _reduce_sum,
    "Relu": lambda x, _: F.relu(x[0]),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "SpadeModulate": _spade,
    "Split": _split,
    "Sqrt": lambda x, _: torch.sqrt(x[0]),
    "Squeeze": _squeeze,
    "Sub": lambda x, _: torch.sub(x[0], x[1]),
    "Tanh": lambda x, _: torch.tanh(x[0]),
    "Transpose": lambda x, a: torch.permute(x[0], a["perm"]),
    "Unsqueeze": _unsqueeze,
}
"""By ONNX's name, for opsets 7 to 23, Resize for 11 to 23; `SpadeModulate` is ours (`mien_export.spade_onnx`)."""
ON_HOST: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("ReduceMean", "ReduceSum", "Reshape", "Split", "Squeeze", "Unsqueeze"), (1,)),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
}
"""Inputs that say how to compute: read by the host, so that they stay there, and nothing waits for a GPU."""


class TorchGraph(nn.Module):
    """Tensors in the order of `inputs` in, those of `outputs` out; moves between devices."""

    def __init__(self, path: Path) -> None:
        """Raises SettingError: the file is missing or broken, or has an operator that is unknown here."""
        super().__init__()
        model = _read(path)
        constants = _constants(model)
        self._nodes = [node for node in model.graph.node if node.output[0] not in constants]
        unknown = sorted({node.op_type for node in self._nodes} - OPERATORS.keys())
        if unknown:
            raise SettingError(f"{path} uses {', '.join(unknown)}; known are {', '.join(OPERATORS)}")
        self._attributes = [_attributes(node) for node in self._nodes]
        self._done = _done_after(self._nodes, {value.name for value in model.graph.output})
        self._buffer_of: dict[str, str] = {}
        self._on_host: dict[str, Tensor] = {}
        taken = {name for node in self._nodes for name in node.input} | {value.name for value in model.graph.output}
        told = {node.input[i] for node in self._nodes for i in ON_HOST.get(node.op_type, ()) if i < len(node.input)}
        for name, value in constants.items():
            if name in told:
                self._on_host[name] = value
            elif name in taken:
                self._buffer_of[name] = f"constant{len(self._buffer_of)}"
                self.register_buffer(self._buffer_of[name], value)
        self.inputs = {value.name: _shape(value) for value in model.graph.input if value.name not in constants}
        """Shapes by name; 0 where the file leaves a size open."""
        self.outputs = tuple(value.name for value in model.graph.output)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The outputs."""
        values: dict[str, Any] = {name: getattr(self, buffer) for name, buffer in self._buffer_of.items()}
        values |= {"": None, **self._on_host, **dict(zip(self.inputs, given, strict=True))}
        for node, attributes, done in zip(self._nodes, self._attributes, self._done, strict=True):
            result = OPERATORS[node.op_type]([values[name] for name in node.input], attributes)
            parts = result if isinstance(result, tuple) else (result,)
            values.update(zip(node.output, parts, strict=False))
            for name in done:
                values.pop(name, None)
        return tuple(values[name] for name in self.outputs)


def _done_after(nodes: list[NodeProto], kept: set[str]) -> list[list[str]]:
    """For each node, the values of nodes that none after it takes, but for those in `kept`: their memory is free."""
    last: dict[str, int] = {}
    for i, node in enumerate(nodes):
        last |= dict.fromkeys(node.output, i)
        last |= {name: i for name in node.input if name in last}
    done: list[list[str]] = [[] for _ in nodes]
    for name, i in last.items():
        if name and name not in kept:
            done[i].append(name)
    return done


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(size.dim_value for size in value.type.tensor_type.shape.dim)


def _read(path: Path) -> ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's errors share no base with those of files but this
        raise SettingError(f"{path} is no ONNX model that can be read: {in_one_line(error)}") from error


def _constants(model: ModelProto) -> dict[str, Tensor]:
    """Initialisers and constants by name, and what Cast makes of them, such as weights kept in float16."""
    found = {value.name: numpy_helper.to_array(value) for value in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    constants = {name: torch.from_numpy(value.copy()) for name, value in found.items()}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in constants and _attributes(node)["to"] in TYPES:
            constants[node.output[0]] = _cast([constants[node.input[0]]], _attributes(node))
    return constants


def _attributes(node: NodeProto) -> Attributes:
    found = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {"num_outputs": len(node.output), **found} if node.op_type == "Split" else found  # told from opset 18 on
