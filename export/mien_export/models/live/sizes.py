"""The family of live networks, one dataclass each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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
