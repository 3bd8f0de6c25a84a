"""The live generator: warped features and pictures in, a painted face and its fusion mask out. Runs per frame."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.live.blocks import SpadeResidual, conv1, conv3, upsampled
from mien_export.models.live.sizes import PARTS, SHARED, Level, LiveSize

PICTURES = 6
"""Channels of the warped portrait and the mouth hint."""
UNSURE = 0.12
"""Distance from 0 and 1 below which a trained mask counts as decided."""
OUT = 4
"""Red, green, blue, mask."""


class LiveGenerator(nn.Module):
    """Decoder from the coarsest level to the finest, where the pictures enter by space-to-depth.

    A level adds its warped feature and runs its SPADE residual blocks; a 1x1 convolution reduces the channels before
    the next is twice as fine. No grid is sampled and nothing is normalised in here, so standard operators do.
    """

    def __init__(self, size: LiveSize) -> None:
        super().__init__()
        self.size = size
        levels = size.levels
        self.parse = nn.ModuleList(conv3(PARTS, SHARED) for _ in levels)
        self.blocks = nn.ModuleList(
            nn.ModuleList(SpadeResidual(level.channels) for _ in range(level.blocks)) for level in levels
        )
        self.reduce = nn.ModuleList(conv1(a.channels, b.channels) for a, b in pairwise(levels))
        self.enter = nn.ModuleDict(
            {str(level.resolution): _entrance(level) for level in levels if level.resolution > 64}
        )
        self.shuffle = 256 // levels[-1].resolution
        self.head = conv3(levels[-1].channels, OUT * self.shuffle**2, gain=0.1)

    def forward(
        self, features: tuple[Tensor, ...], parsing: Tensor, warped: Tensor, hint: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The painted picture (N, 3, S, S) in -1..1 and the mask (N, 1, S, S) in 0..1; 1 keeps the warped portrait.

        features: one per level up to 64, coarse to fine, (N, C, S * resolution / 256, ...), warped to the target.
        parsing: (N, 9, S, S) in 0..1, of the target, or its means over cells as large as the finest level's.
        warped: (N, 3, S, S) in -1..1, 0 where erased. hint: (N, 3, S, S) in -1..1, 0 where there is none.
        """
        pictures = torch.cat([warped, hint], 1)
        h: Tensor | None = None
        for i, level in enumerate(self.size.levels):
            if h is not None:
                h = upsampled(self.reduce[i - 1](h))
            if i < len(features):
                h = features[i] if h is None else h + features[i]
            assert h is not None, "the first level takes a feature"
            if str(level.resolution) in self.enter:
                h = h + self.enter[str(level.resolution)](_unshuffled(pictures, 256 // level.resolution))
            scale = parsing.shape[-1] * 256 // (warped.shape[-1] * level.resolution)
            shared = F.relu(self.parse[i](F.avg_pool2d(parsing, scale) if scale > 1 else parsing))
            blocks = self.blocks[i]
            assert isinstance(blocks, nn.ModuleList)
            for block in blocks:
                h = block(h, shared)
        assert h is not None, "there is a level"
        out = self.head(F.relu(h))
        out = F.pixel_shuffle(out, self.shuffle) if self.shuffle > 1 else out
        mask = torch.sigmoid(out[:, 3:])
        return torch.tanh(out[:, :3]), mask if self.training else decided(mask)


def decided(mask: Tensor) -> Tensor:
    """A mask that was learnt as a probability, with what is nearly sure made sure: kept skin is kept to the byte."""
    gain = 1 / (1 - 2 * UNSURE)
    return (mask * gain + -UNSURE * gain).clamp(0, 1)


def _entrance(level: Level) -> nn.Conv2d:
    return conv3(PICTURES * (256 // level.resolution) ** 2, level.channels)


def _unshuffled(pictures: Tensor, factor: int) -> Tensor:
    return F.pixel_unshuffle(pictures, factor) if factor > 1 else pictures


def fused(warped: Tensor, generated: Tensor, mask: Tensor) -> Tensor:
    """warped * mask + generated * (1 - mask), eq. 3.16."""
    return generated + (warped - generated) * mask
