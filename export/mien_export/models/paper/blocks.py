"""The layers of the thesis's networks, He-initialised."""

from __future__ import annotations

from math import sqrt
from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", nn.Conv2d, nn.ConvTranspose2d)

LEAK = 0.2
"""Slope of the leaky ReLUs on the way down."""


def conv(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    """A convolution of odd `side` that keeps the resolution."""
    layer = nn.Conv2d(inputs, outputs, side, 1, side // 2)
    return _initialised(layer, inputs * side * side)


def down(inputs: int, outputs: int, stride: int = 2) -> nn.Conv2d:
    """A 4x4 convolution: half the resolution; with stride 1, one pixel less."""
    return _initialised(nn.Conv2d(inputs, outputs, 4, stride, 1), inputs * 16)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A 4x4 deconvolution: twice the resolution. Four taps of it meet in each pixel."""
    return _initialised(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), inputs * 4)


def normal(channels: int, side: int) -> nn.Module:
    """Instance normalisation; none at 1x1, where it would leave nothing."""
    return nn.InstanceNorm2d(channels) if side > 1 else nn.Identity()


def _initialised(layer: Layer, taps: int) -> Layer:
    nn.init.normal_(layer.weight, std=sqrt(2 / taps))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
