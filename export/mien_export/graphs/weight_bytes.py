"""Layers whose weights are kept in bytes, each output with a scale of its own: a quarter of the file.

What is computed stays float32: runtimes turn the weights into floats once, as they open the graph.
"""

from __future__ import annotations

import copy
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

M = TypeVar("M", bound=nn.Module)

LEAST: Final = 2048
"""Numbers below which weights stay floats."""


class Bytes(nn.Module):
    """A weight (outputs, ...) in bytes."""

    values: Tensor
    scales: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        flat = weight.detach().flatten(1)
        scales = flat.abs().amax(1).clamp(min=1e-12) / 127
        shape = (-1, *[1] * (weight.dim() - 1))
        self.register_buffer("values", (weight.detach() / scales.view(shape)).round().to(torch.int8))
        self.register_buffer("scales", scales.view(shape))

    def forward(self) -> Tensor:
        """The weight in float32."""
        return self.values.float() * self.scales


class ByteConvolution(nn.Module):
    """A convolution without groups."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight = Bytes(layer.weight)
        self.bias = layer.bias
        self.stride, self.padding = layer.stride, layer.padding

    def forward(self, features: Tensor) -> Tensor:
        """As the layer."""
        return functional.conv2d(features, self.weight(), self.bias, self.stride, self.padding)


class ByteLinear(nn.Module):
    """A linear layer."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = Bytes(layer.weight)
        self.bias = layer.bias

    def forward(self, values: Tensor) -> Tensor:
        """As the layer."""
        return functional.linear(values, self.weight(), self.bias)


def with_weights_in_bytes(module: M) -> M:
    """A copy of `module` with its larger convolutions and linear layers replaced."""
    out = copy.deepcopy(module)
    for parent in list(out.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.weight.numel() >= LEAST:
                setattr(parent, name, ByteConvolution(layer))
            elif isinstance(layer, nn.Linear) and layer.weight.numel() >= LEAST:
                setattr(parent, name, ByteLinear(layer))
    return out
