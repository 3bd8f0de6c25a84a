"""Our own small stroke font: lower-case letters as polylines, drawn anti-aliased at any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Stroke = tuple[tuple[float, float], ...]

_ARC = 10
"""Segments of a full round."""


def _arc(x: float, y: float, rx: float, ry: float, begin: float, end: float) -> Stroke:
    """An elliptic arc from `begin` to `end` in degrees, clockwise from the right as y grows downward."""
    steps = max(2, round(abs(end - begin) / 360 * 2 * _ARC))
    angles = np.radians(np.linspace(begin, end, steps + 1))
    return tuple((float(x + rx * np.cos(a)), float(y + ry * np.sin(a))) for a in angles)


_GLYPHS: dict[str, tuple[float, tuple[Stroke, ...]]] = {
    "s": (
        0.56,
        (
            _arc(0.28, -0.52, 0.22, 0.2, -25, -180)
            + _arc(0.28, -0.52, 0.22, 0.2, 180, 90)[1:]
            + _arc(0.28, -0.16, 0.24, 0.16, -90, 90)[1:]
            + _arc(0.28, -0.16, 0.24, 0.16, 90, 155)[1:],
        ),
    ),
    "y": (0.58, (((0.02, -0.72), (0.29, -0.02)), ((0.56, -0.72), (0.24, 0.14), (0.16, 0.24), (0.04, 0.25)))),
    "n": (0.58, (((0.06, -0.72), (0.06, 0.0)), _arc(0.29, -0.46, 0.23, 0.26, 180, 360) + ((0.52, 0.0),))),
    "t": (
        0.42,
        (((0.2, -0.94), (0.2, -0.16)) + _arc(0.33, -0.16, 0.13, 0.16, 180, 80)[1:], ((0.02, -0.7), (0.4, -0.7))),
    ),
    "h": (0.58, (((0.06, -1.0), (0.06, 0.0)), _arc(0.29, -0.46, 0.23, 0.26, 180, 360) + ((0.52, 0.0),))),
    "e": (0.6, (((0.05, -0.38), (0.55, -0.38)) + _arc(0.3, -0.36, 0.25, 0.36, -4, -318)[1:],)),
    "i": (0.2, (((0.1, -0.72), (0.1, 0.0)), ((0.1, -0.97), (0.1, -0.96)))),
    "c": (0.54, (_arc(0.31, -0.36, 0.26, 0.36, -42, -318),)),
}
"""Advance width, and strokes as (x, y) points in letter heights: the base line is y = 0, ascenders reach y = -1."""

_GAP = 0.16
_WEIGHT = 0.13
"""Width of a stroke."""
DESCENT = 0.3
"""How far below the base line strokes reach."""


def width_of(text: str) -> float:
    """Width of a line of text in letter heights."""
    return sum(_GLYPHS[letter][0] + _GAP for letter in text) - _GAP


def coverage(text: str, size: float, width: int, height: int, left: float, base: float) -> NDArray[np.float32]:
    """How much of each pixel the text covers.

    Args:
        text: of the letters of "synthetic".
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
        advance, strokes = _GLYPHS[letter]
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
