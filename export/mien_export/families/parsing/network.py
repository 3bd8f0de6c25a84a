"""The segmenter: a U-Net on a folded picture, whose last layers see twice the resolution so that edges are smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.parsing.classes import CLASSES

FOLD: Final = 4
"""Pixels along each side of a cell of the finest level of the U-Net."""
FINE_FOLD: Final = 2
"""The same for the last layers: each cell gives the logits of 2 x 2 pixels."""


@dataclass(frozen=True, slots=True)
class SegmenterSize:
    """Widths of a segmenter."""

    levels: tuple[int, int, int, int]
    """Channels at a quarter, an eighth, a sixteenth and a thirty-second of the side."""
    merged: int
    """Channels at a quarter of the side on the way up."""
    fine: int
    """Channels at half of the side."""


SIZES: Final = {"s": SegmenterSize((40, 64, 96, 128), 64, 32)}


class Segmenter(nn.Module):
    """Pictures (N, 3, S, S) in -1..1 to logits (N, 19, S, S); S is a multiple of 32."""

    def __init__(self, size: SegmenterSize) -> None:
        super().__init__()
        quarter, eighth, sixteenth, least = size.levels
        self.down1 = nn.Sequential(_unit(3 * FOLD**2, quarter), _unit(quarter, quarter))
        self.down2 = nn.Sequential(_unit(quarter, eighth, 2), _unit(eighth, eighth))
        self.down3 = nn.Sequential(_unit(eighth, sixteenth, 2), _unit(sixteenth, sixteenth))
        self.down4 = nn.Sequential(_unit(sixteenth, least, 2), _unit(least, least))
        self.up3 = _unit(sixteenth + least, sixteenth)
        self.up2 = _unit(eighth + sixteenth, eighth)
        self.up1 = _unit(quarter + eighth, size.merged)
        self.spread = nn.Conv2d(size.merged, size.fine * FOLD, 1)
        self.fine = _unit(size.fine + 3 * FINE_FOLD**2, size.fine)
        self.logits = nn.Conv2d(size.fine, len(CLASSES) * FINE_FOLD**2, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """All logits, (N, 19, S, S)."""
        return functional.pixel_shuffle(self.logits(self._features(picture)), FINE_FOLD)

    def thinned(self, picture: Tensor, phase: int) -> Tensor:
        """(N, 19, S / 2, S / 2): the logits of one pixel of each 2 x 2, `phase` 0..3 in the order of reading."""
        weight, bias = self.logits.weight[phase :: FINE_FOLD**2], self.logits.bias
        assert bias is not None
        return functional.conv2d(self._features(picture), weight, bias[phase :: FINE_FOLD**2])

    def _features(self, picture: Tensor) -> Tensor:
        """(N, fine, S / 2, S / 2)."""
        first = self.down1(functional.pixel_unshuffle(picture, FOLD))
        second = self.down2(first)
        third = self.down3(second)
        low = self.up3(torch.cat([third, _twice(self.down4(third))], 1))
        low = self.up2(torch.cat([second, _twice(low)], 1))
        low = self.up1(torch.cat([first, _twice(low)], 1))
        spread = functional.pixel_shuffle(self.spread(low), FOLD // FINE_FOLD)
        fine: Tensor = self.fine(torch.cat([spread, functional.pixel_unshuffle(picture, FINE_FOLD)], 1))
        return fine


def _unit(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _twice(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
