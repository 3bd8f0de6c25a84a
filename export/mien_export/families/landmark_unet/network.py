"""The generator: four convolutions down, a residual block, four up, with skips between equal levels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face.points68 import MESH
from mien.paint.heat_maps import REACH, SPREAD

KIND: Final = "landmark-unet"
POINTS: Final = len(MESH)
SLOPE: Final = 0.2
MOMENTUM: Final = 0.05
"""Of the normalisation's statistics."""


@dataclass(frozen=True, slots=True)
class UnetSize:
    """Widths of a generator."""

    side: int
    """Height and width of pictures."""
    widths: tuple[int, int, int, int]
    """Channels at a half, a quarter, an eighth and a sixteenth of the side."""
    last: int
    """Channels at the full side."""


SIZES: Final = {
    "64": UnetSize(64, (32, 64, 96, 128), 24),
    "128": UnetSize(128, (32, 64, 96, 128), 24),
    "64-wide": UnetSize(64, (64, 128, 256, 512), 64),
}
"""`64-wide` has the channels that are usual for this architecture (Isola et al., 2017)."""


class LandmarkUnet(nn.Module):
    """Source picture and heat maps of the target's landmarks -> the target's picture."""

    def __init__(self, size: UnetSize) -> None:
        super().__init__()
        self.size = size
        down = (3 + POINTS, *size.widths)
        self.down = nn.ModuleList(_down(a, b) for a, b in itertools.pairwise(down))
        self.residual = Residual(size.widths[-1])
        beside = (0, *size.widths[-2::-1])
        up = (size.widths[-1], *size.widths[-2::-1], size.last)
        self.up = nn.ModuleList(_up(a + skip, b) for (a, b), skip in zip(itertools.pairwise(up), beside, strict=True))
        self.colours = nn.Conv2d(size.last, 3, 3, 1, 1)

    def forward(self, picture: Tensor, landmarks: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1 of pictures (N, 3, S, S) in -1..1 and heat maps (N, 68, S, S) in 0..1."""
        features = torch.cat([picture, landmarks], 1)
        kept: list[Tensor] = []
        for down in self.down:
            features = down(features)
            kept.append(features)
        features = self.residual(kept.pop())
        for up in self.up:
            features = up(functional.interpolate(features, scale_factor=2.0, mode="nearest"))
            features = torch.cat([features, kept.pop()], 1) if kept else features
        return torch.tanh(self.colours(features))


class Residual(nn.Module):
    """x + f(x), f of two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels, momentum=MOMENTUM)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels, momentum=MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, H, W)."""
        h = functional.relu(self.first_norm(self.first(x)))
        out: Tensor = x + self.second_norm(self.second(h))
        return out


def _down(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=MOMENTUM), nn.LeakyReLU(SLOPE))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=MOMENTUM), nn.ReLU())


def heat_maps(points: Tensor, side: int) -> Tensor:
    """(N, 68, side, side): `mien.paint.heat_maps` of points (N, 68, 2) in shares of the side, 0 and 1 its edges."""
    places = torch.arange(side, device=points.device, dtype=torch.float32)
    away = places - (points.float() * side - 0.5)[..., None]
    lines = torch.exp(-0.5 * (away / (SPREAD * side)).square()) * (away.abs() <= REACH * side)
    return lines[:, :, 1, :, None] * lines[:, :, 0, None, :]
