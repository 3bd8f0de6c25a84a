"""Operators of ONNX in torch: those that feed-forward face embeddings are made of, with gradients to their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

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
