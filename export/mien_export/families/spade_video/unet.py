"""What SPADE is compared with: a U-Net from the label map to a picture (Isola et al., pix2pix, 2017)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face.classes import CLASSES


class MapToPicture(nn.Module):
    """Stride-2 convolutions down to 8 x 8, and up again with skips. It takes no code: the colours are its style."""

    def __init__(self, widths: Sequence[int]) -> None:
        """`widths`: channels at a half, a quarter, an eighth and a sixteenth of the side."""
        super().__init__()
        into = (len(CLASSES) + 3, *widths)
        self.down = nn.ModuleList(_down(a, b) for a, b in itertools.pairwise(into))
        out = (*reversed(widths), 24)
        beside = (0, *list(reversed(widths))[1:])
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a + skip, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b, momentum=0.05), nn.ReLU())
            for a, skip, b in zip(out, beside, out[1:], strict=False)
        )
        self.colours = nn.Conv2d(out[-1], 3, 3, 1, 1)

    def forward(self, labels: Tensor, colours: Tensor, code: Tensor) -> Tensor:
        """(N, 3, S, S) of maps (N, 19, S, S) and the same in colours (N, 3, S, S); `code` is not read."""
        features = torch.cat([labels, colours], 1)
        kept: list[Tensor] = []
        for down in self.down:
            features = down(features)
            kept.append(features)
        kept.pop()
        for up in self.up:
            features = functional.interpolate(up(features), scale_factor=2.0, mode="bilinear")
            features = torch.cat([features, kept.pop()], 1) if kept else features
        return torch.tanh(self.colours(features))


def _down(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=0.05), nn.LeakyReLU(0.2))
