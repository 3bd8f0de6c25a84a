"""Black-and-white and toned portraits: what is painted or borrowed into them takes on their tone.

The generator knows mouths as red, and a driver's mouth is. In a photograph whose colours hang on brightness alone, such
as a grey or a sepia one, everything else than that would be seen at once.
"""

from __future__ import annotations

from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from mien.portrait.portrait import Portrait

Pixels = NDArray[np.uint8]
Levels = NDArray[np.intp]

LEVELS: Final = 256
BLOCK: Final = 4
"""Pixels of a side over which colours are averaged before they are looked at: JPEG keeps colours coarsely."""
NOISE: Final = 6.0
"""Levels by which a block of a toned picture may be off its tone. Of four samples, toned and saved as JPEG of quality
80, 0.2 to 1.7 % of the face's blocks are further off; of the same with a quarter of their colour, 9 % and more."""
COLOURED: Final = 0.025
"""Share of blocks further off from which on a picture is in colour: lips alone are 3.6 to 5.9 % of a face."""
DEGREE: Final = 3
"""Of the polynomials over brightness that a tone is: print and toner are smooth."""
_SHARES: Final = (77, 150, 29)
"""Of red, green and blue in brightness, in 256ths (ITU-R BT.601)."""


class Tone:
    """Callable: brings a window (h, w, 3), in place, to the colour that the portrait has at each brightness."""

    def __init__(self, colours: Pixels) -> None:
        """`colours`: (256, 3), by brightness."""
        self._colours = colours
        self._sum = self._part = np.empty((0, 0), np.uint16)

    @classmethod
    def of(cls, portrait: Portrait) -> Self | None:
        """That of a portrait; None of one in colour."""
        low, high = portrait.landmarks[:, :2].min(axis=0), portrait.landmarks[:, :2].max(axis=0)
        (x0, y0), (x1, y1) = np.maximum(low / BLOCK, 0).astype(int), np.ceil(high / BLOCK).astype(int)
        blocks = _averaged(portrait.pixels)
        colours = _fitted(blocks)
        # both: a face in grey before a coloured wall is as much in colour as a made-up one before a grey wall
        toned = all(_coloured(part, colours) < COLOURED for part in (blocks[y0:y1, x0:x1], blocks))
        return cls(np.clip(np.rint(colours), 0, LEVELS - 1).astype(np.uint8)) if toned else None

    def __call__(self, window: Pixels) -> None:
        if self._sum.shape != window.shape[:2]:
            self._sum, self._part = np.empty(window.shape[:2], np.uint16), np.empty(window.shape[:2], np.uint16)
        np.multiply(window[..., 0], _SHARES[0], out=self._sum, dtype=np.uint16)
        for channel, share in enumerate(_SHARES[1:], start=1):
            np.multiply(window[..., channel], share, out=self._part, dtype=np.uint16)
            self._sum += self._part
        self._sum >>= 8
        np.take(self._colours, self._sum, axis=0, out=window, mode="clip")


def _averaged(pixels: Pixels) -> Pixels:
    """(H / BLOCK, W / BLOCK, 3) of (H, W, 3)."""
    height, width = (side // BLOCK for side in pixels.shape[:2])
    whole = pixels[: height * BLOCK, : width * BLOCK]
    return np.asarray(np.rint(whole.reshape(height, BLOCK, width, BLOCK, 3).mean(axis=(1, 3))), dtype=np.uint8)


def _brightness(pixels: Pixels) -> Levels:
    """(...) of (..., 3), in whole levels."""
    return np.asarray((pixels.astype(np.uint16) * np.array(_SHARES, np.uint16)).sum(axis=-1) >> 8, dtype=np.intp)


def _fitted(pixels: Pixels) -> NDArray[np.float64]:
    """(256, 3): the smooth tone that comes nearest to a picture (H, W, 3)."""
    levels = _brightness(pixels).ravel()
    counts = np.bincount(levels, minlength=LEVELS)
    there = np.flatnonzero(counts)
    at = np.linspace(-1.0, 1.0, LEVELS)
    colours = np.empty((LEVELS, 3))
    for channel in range(3):
        means = np.bincount(levels, pixels[..., channel].ravel(), LEVELS)[there] / counts[there]
        degree = min(DEGREE, len(there) - 1)
        colours[:, channel] = np.polyval(np.polyfit(at[there], means, degree, w=np.sqrt(counts[there])), at)
    return colours


def _coloured(pixels: Pixels, colours: NDArray[np.float64]) -> float:
    """The share of pixels (H, W, 3) whose colour is another one than that of their brightness."""
    if not pixels.size:
        return 0.0
    off = np.abs(pixels - colours[_brightness(pixels)]).max(axis=-1)
    return float((off > NOISE).mean())
