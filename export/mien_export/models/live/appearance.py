"""Appearance: what the portrait looks like, at several scales. Runs once per portrait."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.live.blocks import Residual, conv1, conv3, upsampled
from mien_export.models.live.sizes import PARTS, LiveSize

ENCODED = (128, 64, 32, 16)
"""Resolutions of the encoder where the side is 256."""


class Appearance(nn.Module):
    """A pyramid of features, each already projected to the width of the decoder's level that takes it.

    The projections are 1x1 convolutions, which commute with the warp that follows.
    """

    def __init__(self, size: LiveSize) -> None:
        super().__init__()
        widths = size.encoder
        self.stem = conv3(4 * (3 + PARTS), widths[0])
        self.down = nn.ModuleList(conv3(a, b, stride=2) for a, b in pairwise(widths))
        self.encode = nn.ModuleList(Residual(width) for width in widths)
        self.finest = ENCODED.index(size.features[-1][0])
        used = widths[self.finest :]
        self.lateral = nn.ModuleList(conv1(b, a, gain=0.5) for a, b in pairwise(used))
        self.project = nn.ModuleList(
            conv1(widths[ENCODED.index(resolution)], channels) for resolution, channels in size.features
        )
        self.levels = tuple(ENCODED.index(resolution) for resolution, _ in size.features)

    def forward(self, picture: Tensor, parsing: Tensor) -> tuple[Tensor, ...]:
        """Features from coarse to fine, (N, C, S * resolution / 256, S * resolution / 256) each.

        picture: (N, 3, S, S) in -1..1. parsing: (N, 9, S, S) in 0..1, of the portrait.
        """
        h = self.stem(F.pixel_unshuffle(torch.cat([picture, parsing], 1), 2))
        pyramid = [self.encode[0](h)]
        for down, encode in zip(self.down, self.encode[1:], strict=True):
            pyramid.append(encode(down(F.relu(pyramid[-1]))))
        for i in range(len(pyramid) - 2, self.finest - 1, -1):
            pyramid[i] = pyramid[i] + upsampled(self.lateral[i - self.finest](pyramid[i + 1]))
        return tuple(project(pyramid[i]) for project, i in zip(self.project, self.levels, strict=True))
