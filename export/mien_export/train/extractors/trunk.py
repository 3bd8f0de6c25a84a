"""The small convolutional trunk of the packaged extractors: 64x64 to a vector."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (24, 48, 96, 112)
"""Channels at 32, 16, 8 and 4."""


class Residual(nn.Module):
    """x + norm(conv(x)), rectified: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, H, W)."""
        return F.relu(x + self.norm(self.conv(x)))


class Trunk(nn.Sequential):
    """(N, 3, 64, 64) in -1..1 to (N, outputs). A depth-wise 4x4 convolution weighs places instead of averaging them."""

    def __init__(self, outputs: int) -> None:
        last = WIDTHS[-1]
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(pairwise((3, *WIDTHS))):
            layers += [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
            layers += [Residual(b)] if i else []
        layers += [nn.Conv2d(last, last, 4, groups=last), nn.Flatten(), nn.Linear(last, outputs)]
        super().__init__(*layers)
