"""What both halves of the live network are built of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.live.sizes import SHARED

RESIDUAL_GAIN = 0.5
"""Scale of the last weights of a residual branch at the start: without a norm, sums would grow with depth."""


def conv3(inputs: int, outputs: int, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A 3x3 convolution, He-initialised; a gain below 1 makes a branch start quiet."""
    return _initialised(nn.Conv2d(inputs, outputs, 3, stride, 1), gain)


def conv1(inputs: int, outputs: int, gain: float = 1.0) -> nn.Conv2d:
    """A 1x1 convolution, He-initialised."""
    return _initialised(nn.Conv2d(inputs, outputs, 1), gain)


def _initialised(conv: nn.Conv2d, gain: float) -> nn.Conv2d:
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    with torch.no_grad():
        conv.weight.mul_(gain)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv


def upsampled(x: Tensor) -> Tensor:
    """Nearest neighbour, twice as high and wide."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Residual(nn.Module):
    """x + conv(relu(conv(relu(x)))): (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3(channels, channels)
        self.second = conv3(channels, channels, gain=RESIDUAL_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.second(F.relu(self.first(F.relu(x))))
        return x + added


class Modulate(nn.Module):
    """relu(x * (1 + gamma) + beta), gamma and beta by a 1x1 convolution each of the parsing feature.

    The SPADE unit of eq. 3.5 to 3.7 with w = 1 + gamma, without its normalisation (eq. 3.3, 3.4): the parsing feature
    is shared by all units of a resolution.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = conv1(SHARED, channels, gain=0.1)
        self.beta = conv1(SHARED, channels, gain=0.1)

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, H, W), parsing feature (N, SHARED, H, W)."""
        return F.relu(x + x * self.gamma(parsing) + self.beta(parsing))


class SpadeResidual(nn.Module):
    """x + conv(modulate(conv(modulate(x)))): (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.modulate_first = Modulate(channels)
        self.first = conv3(channels, channels)
        self.modulate_second = Modulate(channels)
        self.second = conv3(channels, channels, gain=RESIDUAL_GAIN)

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, H, W), parsing feature (N, SHARED, H, W)."""
        h = self.first(self.modulate_first(x, parsing))
        added: Tensor = self.second(self.modulate_second(h, parsing))
        return x + added
