"""A face embedding from an ONNX file, where a user has one: the identity term sees through it instead of ours.

It is fed as the ArcFace family of networks is: RGB in -1..1, with eyes, nose and mouth where that family's aligned
faces have them. The licence of such a file is the user's affair; none comes with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError
from mien.face import topology
from mien.face.crop import ANCHOR, PLACE, SIDE, UNIT
from mien.face.pose import fit_similarity
from mien.face.topology import canonical_face

Attributes = dict[str, Any]
Inputs = list[Any]
"""Tensors, or None where an optional input is left out."""
Operator = Callable[[Inputs, Attributes], Tensor]


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
    return F.max_pool2d(x, side, stride, ceil_mode=bool(attributes.get("ceil_mode", 0)))


def _average_pool(given: Inputs, attributes: Attributes) -> Tensor:
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


def _prelu(given: Inputs, attributes: Attributes) -> Tensor:
    x, slope = given
    return torch.where(x >= 0, x, slope * x)


OPERATORS: Final[dict[str, Operator]] = {
    "Add": lambda x, _: torch.add(x[0], x[1]),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Conv": _conv,
    "Div": lambda x, _: torch.div(x[0], x[1]),
    "Dropout": lambda x, _: torch.as_tensor(x[0]),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda x, _: torch.mean(x[0], (2, 3), keepdim=True),
    "Identity": lambda x, _: torch.as_tensor(x[0]),
    "LeakyRelu": lambda x, a: F.leaky_relu(x[0], a.get("alpha", 0.01)),
    "MatMul": lambda x, _: torch.matmul(x[0], x[1]),
    "MaxPool": _max_pool,
    "Mul": lambda x, _: torch.mul(x[0], x[1]),
    "PRelu": _prelu,
    "ReduceMean": _reduce_mean,
    "Relu": lambda x, _: F.relu(x[0]),
    "Reshape": _reshape,
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
    "Squeeze": _squeeze,
    "Sub": lambda x, _: torch.sub(x[0], x[1]),
    "Transpose": lambda x, a: torch.permute(x[0], a["perm"]),
    "Unsqueeze": _unsqueeze,
}
"""By ONNX's name, for opsets 7 to 23."""


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


TEMPLATE: Final = ((38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20))
"""Middles of both eyes, tip of the nose and corners of the mouth in an aligned face of 112 x 112 pixels."""
TEMPLATE_SIDE: Final = 112
NOSE_TIP: Final = 1


class OnnxIdentity(nn.Module):
    """Unit vectors for the faces in crops, by somebody else's network; frozen."""

    def __init__(self, path: Path) -> None:
        """Raises SettingError: the file is no such network."""
        super().__init__()
        self.graph = OnnxGraph(path)
        shape = self.graph.shape
        if len(shape) != 4 or shape[1] not in (0, 3):
            raise SettingError(f"{path}: expected an input (N, 3, side, side), got {shape}")
        self.side = shape[2] or TEMPLATE_SIDE
        self.eval().requires_grad_(False)

    def forward(self, picture: Tensor) -> Tensor:
        """(N, D) of length 1, from crops (N, 3, S, S) in -1..1 as `mien.face.crop` places them."""
        left, top, width = (round(share * picture.shape[-1]) for share in aligned_window())
        cut = F.pad(picture, (width, width, width, width), mode="replicate")  # the window may reach beyond the crop
        cut = cut[..., top + width : top + 2 * width, left + width : left + 2 * width]
        face = F.interpolate(
            cut, size=(self.side, self.side), mode="bilinear", align_corners=False, antialias=width > self.side
        )
        return F.normalize(self.graph(face).flatten(1).float(), dim=1)


def aligned_window() -> tuple[float, float, float]:
    """Left, top and side of the square of a crop that holds a face as aligned to `TEMPLATE`, as shares of its side."""
    points = canonical_face().points
    parts = [points[list(eye)].mean(axis=0) for eye in topology.EYES]
    parts += [points[i] for i in (NOSE_TIP, topology.OUTER_LIPS[0], topology.OUTER_LIPS[10])]
    in_crop = (np.array(parts) - ANCHOR)[:, :2] * UNIT + PLACE
    fit = fit_similarity(in_crop, np.array(TEMPLATE))
    left, top = ((np.full(2, -0.5) - fit.translation) / fit.scale + 0.5) / SIDE
    return float(left), float(top), TEMPLATE_SIDE / fit.scale / SIDE
