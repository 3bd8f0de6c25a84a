"""The segmenter: a U-Net on a folded picture, whose last layers see twice the resolution so that edges are smooth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face.classes import CLASSES

Window = tuple[slice, slice]
"""Rows and columns of cells of the finest level of the U-Net."""

KIND: Final = "parsing"
"""As manifests and checkpoints have it."""
FOLD: Final = 4
"""Pixels along each side of a cell of the finest level of the U-Net."""
FINE_FOLD: Final = 2
"""The same for the last layers: each cell gives the logits of 2 x 2 pixels."""


@dataclass(frozen=True, slots=True)
class SegmenterSize:
    """Widths of a segmenter."""

    levels: tuple[int, int, int, int]
    """Channels at a quarter, an eighth, a sixteenth and a thirty-second of the side."""
    spread: int
    """Channels that the U-Net gives to each cell of half the side."""
    fine: int
    """Channels at half of the side."""


SIZES: Final = {"s": SegmenterSize((48, 64, 96, 128), 20, 32)}


class Segmenter(nn.Module):
    """Pictures (N, 3, S, S) in -1..1 to logits (N, 19, S, S); S is a multiple of 32."""

    def __init__(self, size: SegmenterSize) -> None:
        super().__init__()
        quarter, eighth, sixteenth, least = size.levels
        self.down1 = nn.Sequential(_unit(3 * FOLD**2, quarter, kernel=1), _unit(quarter, quarter))
        self.down2 = nn.Sequential(_unit(quarter, eighth, 2), _unit(eighth, eighth))
        self.down3 = nn.Sequential(_unit(eighth, sixteenth, 2), _unit(sixteenth, sixteenth))
        self.down4 = nn.Sequential(_unit(sixteenth, least, 2), _unit(least, least))
        self.up3 = _Up(least, sixteenth)
        self.up2 = _Up(sixteenth, eighth)
        self.up1 = _Up(eighth, quarter)
        self.spread = nn.Conv2d(quarter, size.spread * (FOLD // FINE_FOLD) ** 2, 1)
        self.fine = _unit(size.spread + 3 * FINE_FOLD**2, size.fine)
        self.logits = nn.Conv2d(size.fine, len(CLASSES) * FINE_FOLD**2, 1)
        self.hinted = nn.Conv2d(quarter, len(CLASSES), 1)
        """Coarse logits that only training looks at."""

    def forward(self, picture: Tensor) -> Tensor:
        """All logits, (N, 19, S, S)."""
        fine = self._fine(self.merged(picture), functional.pixel_unshuffle(picture, FINE_FOLD))
        return functional.pixel_shuffle(self.logits(fine), FINE_FOLD)

    def thinned(self, picture: Tensor, window: Window, phase: int) -> tuple[Tensor, Tensor]:
        """Logits for training, which costs a third of all of them.

        Returns:
            (N, 19, S / 4, S / 4): coarse ones, and (N, 19, 2 h, 2 w) within `window`: those of one pixel of each 2 x 2,
            `phase` 0..3 in the order of reading.
        """
        merged = self.merged(picture)
        rows, columns = window
        cells = FOLD // FINE_FOLD
        folded = functional.pixel_unshuffle(picture, FINE_FOLD)
        near = (slice(cells * rows.start, cells * rows.stop), slice(cells * columns.start, cells * columns.stop))
        fine = self._fine(merged[:, :, rows, columns], folded[:, :, near[0], near[1]])
        weight, bias = self.logits.weight[phase :: FINE_FOLD**2], self.logits.bias
        assert bias is not None
        return self.hinted(merged), functional.conv2d(fine, weight, bias[phase :: FINE_FOLD**2])

    def merged(self, picture: Tensor) -> Tensor:
        """(N, quarter, S / 4, S / 4): what the U-Net gives."""
        first = self.down1(functional.pixel_unshuffle(picture, FOLD))
        second = self.down2(first)
        third = self.down3(second)
        merged: Tensor = self.up1(first, self.up2(second, self.up3(third, self.down4(third))))
        return merged

    def _fine(self, merged: Tensor, folded: Tensor) -> Tensor:
        """(N, fine, 2 h, 2 w) of cells (N, quarter, h, w) and the folded picture (N, 12, 2 h, 2 w) there."""
        spread = functional.pixel_shuffle(self.spread(merged), FOLD // FINE_FOLD)
        fine: Tensor = self.fine(torch.cat([spread, folded], 1))
        return fine


class CellMeans(nn.Module):
    """A segmenter as it is exported: the mean logits of each 2 x 2 pixels, (N, 19, S / 2, S / 2).

    Single pixels of a cell follow the pattern of the last layer, which dots the edges of labels; their mean, once it is
    interpolated, is smooth and has the same mean IoU with a quarter of the numbers.
    """

    def __init__(self, network: Segmenter) -> None:
        super().__init__()
        self.network = network
        self.spread = _changed(network.spread, lambda values: _split(values).transpose(0, 1).flatten(0, 1))
        self.logits = _changed(network.logits, lambda values: _split(values).mean(1))

    def forward(self, picture: Tensor) -> Tensor:
        """All cells."""
        folded = functional.pixel_unshuffle(picture, FINE_FOLD)
        fine = self.network.fine(torch.cat([self._spread(self.network.merged(picture)), folded], 1))
        logits: Tensor = self.logits(fine)
        return logits

    def _spread(self, merged: Tensor) -> Tensor:
        """As the network's, by moving rows of channels: ONNX Runtime's DepthToSpace takes six times as long."""
        height, width = merged.shape[2:]
        step = FOLD // FINE_FOLD
        row = self.spread.out_channels // step
        cells = self.spread(merged).permute(0, 2, 3, 1).reshape(-1, height, width, step, row)
        pixels = cells.transpose(2, 3).reshape(-1, step * height, step * width, row // step)
        spread: Tensor = pixels.permute(0, 3, 1, 2)
        return spread


def _changed(convolution: nn.Conv2d, change: Callable[[Tensor], Tensor]) -> nn.Conv2d:
    """A convolution of 1 x 1 whose weights and bias are those of another one, changed along their outputs."""
    assert convolution.bias is not None
    weight = change(convolution.weight.detach())
    out = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    with torch.no_grad():
        out.weight.copy_(weight)
        assert out.bias is not None
        out.bias.copy_(change(convolution.bias.detach()))
    return out


def _split(values: Tensor) -> Tensor:
    """(C, 4, ...): what a pixel shuffle by 2 spreads over the places of a cell."""
    return values.reshape(-1, FINE_FOLD**2, *values.shape[1:])


class _Up(nn.Module):
    """What a coarser level saw, added to a finer one: a third of what concatenating them would cost."""

    def __init__(self, low: int, channels: int) -> None:
        super().__init__()
        self.given = nn.Conv2d(low, channels, 1, bias=False)
        self.merged = _unit(channels, channels)

    def forward(self, features: Tensor, low: Tensor) -> Tensor:
        """(N, channels, h, w) of features of that shape and of (N, low, h / 2, w / 2)."""
        spread = functional.interpolate(self.given(low), scale_factor=2.0, mode="nearest")
        merged: Tensor = self.merged(features + spread)
        return merged


def _unit(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
