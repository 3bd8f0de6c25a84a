"""Text in our own small stroke font, drawn anti-aliased at any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.emit.glyphs import GLYPHS

_GAP = 0.16
_WEIGHT = 0.13
"""Width of a stroke."""
DESCENT = 0.3
"""How far below the base line strokes reach."""


def width_of(text: str) -> float:
    """Width of a line of text in letter heights."""
    return sum(GLYPHS[letter][0] + _GAP for letter in text) - _GAP


def coverage(text: str, size: float, width: int, height: int, left: float, base: float) -> NDArray[np.float32]:
    """How much of each pixel the text covers.

    Args:
        text: of the letters of `GLYPHS`.
        size: letter height in pixels.
        width, height: of the result.
        left, base: where the line begins and its base line, in pixels.

    Returns:
        (height, width) float32 in 0..1.
    """
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    nearest = np.full((height, width), np.inf, np.float32)
    pen = left
    for letter in text:
        advance, strokes = GLYPHS[letter]
        for stroke in strokes:
            points = [(pen + px * size, base + py * size) for px, py in stroke]
            for start, end in pairwise(points):
                np.minimum(nearest, _distance(x, y, start, end), out=nearest)
        pen += (advance + _GAP) * size
    return np.clip(max(0.5, _WEIGHT * size / 2) + 0.5 - nearest, 0, 1).astype(np.float32)


def _distance(
    x: NDArray[np.float32], y: NDArray[np.float32], start: tuple[float, float], end: tuple[float, float]
) -> NDArray[np.float32]:
    """Distance of each pixel from a segment, in pixels."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / max(dx * dx + dy * dy, 1e-9)
    along = np.clip(along, 0, 1)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy).astype(np.float32)
