"""The live networks: appearance once per portrait, a generator of SPADE blocks per frame, in several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KIND: Final = "oneshot-live"
"""As manifests and checkpoints have it."""
PARTS: Final = 9
"""Channels of a parsing map."""
SHARED: Final = 32
"""Channels of the parsing feature that gammas and betas of one resolution share."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of the decoder."""

    resolution: int
    """Height and width where the side is 256."""
    channels: int
    blocks: int = 1
    """SPADE residual blocks."""


@dataclass(frozen=True, slots=True)
class LiveSize:
    """A network of the family. Levels run from coarse to fine, each twice as fine as the one before."""

    name: str
    levels: tuple[Level, ...]
    encoder: tuple[int, ...] = (48, 96, 160, 224)
    """Channels of the appearance encoder at 128, 64, 32 and 16; it runs once per portrait."""

    @property
    def features(self) -> tuple[tuple[int, int], ...]:
        """(resolution, channels) of the appearance features: those of the levels up to 64."""
        return tuple((level.resolution, level.channels) for level in self.levels if level.resolution <= 64)


def _size(name: str, *levels: tuple[int, int, int], encoder: tuple[int, ...] = (48, 96, 160, 224)) -> LiveSize:
    return LiveSize(name, tuple(Level(*level) for level in levels), encoder)


SIZES: Final[dict[str, LiveSize]] = {
    size.name: size
    for size in (
        _size("xs", (32, 96, 1), (64, 64, 1), (128, 32, 1), encoder=(32, 64, 96, 128)),
        _size("s", (32, 160, 1), (64, 96, 1), (128, 48, 1)),
        _size("m", (16, 256, 1), (32, 192, 2), (64, 128, 1), (128, 64, 1)),
        _size("l", (16, 256, 1), (32, 256, 2), (64, 160, 2), (128, 80, 1)),
        _size("xl", (16, 384, 1), (32, 320, 2), (64, 224, 2), (128, 112, 1), encoder=(64, 128, 224, 320)),
        _size(
            "gpu", (16, 512, 1), (32, 512, 1), (64, 256, 2), (128, 128, 2), (256, 64, 1), encoder=(64, 128, 256, 512)
        ),
    )
}
"""By name. `gpu` goes on to a level at 256; all others end at 128 with a pixel shuffle."""


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
