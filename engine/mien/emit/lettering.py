"""Anti-aliased text in a small stroke font (lower case, digits, a few signs), at any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Stroke = tuple[tuple[float, float], ...]
Glyph = tuple[float, tuple[Stroke, ...]]
"""Advance width, and strokes as (x, y) points in letter heights: the base line is y = 0, ascenders reach y = -1, the
letters without one y = -0.72, descenders y = 0.25."""

_ARC = 10
"""Segments of half a round."""
_STEM: Stroke = ((0.06, -0.72), (0.06, 0.0))
_TALL: Stroke = ((0.06, -1.0), (0.06, 0.0))
_RIGHT: Stroke = ((0.54, -0.72), (0.54, 0.0))
_GAP = 0.16
_WEIGHT = 0.13
"""Width of a stroke."""
DESCENT = 0.3
"""How far below the base line strokes reach."""


def _arc(x: float, y: float, rx: float, ry: float, begin: float, end: float) -> Stroke:
    """An elliptic arc from `begin` to `end` in degrees, clockwise from the right as y grows downward."""
    steps = max(2, round(abs(end - begin) / 360 * 2 * _ARC))
    angles = np.radians(np.linspace(begin, end, steps + 1))
    return tuple((float(x + rx * np.cos(a)), float(y + ry * np.sin(a))) for a in angles)


_BOWL = _arc(0.29, -0.36, 0.25, 0.36, 0, 360)
_ARCH = (*_arc(0.29, -0.46, 0.23, 0.26, 180, 360), (0.52, 0.0))

GLYPHS: dict[str, Glyph] = {
    " ": (0.3, ()),
    "a": (0.6, (_BOWL, _RIGHT)),
    "b": (0.6, (_TALL, _arc(0.31, -0.36, 0.25, 0.36, 0, 360))),
    "c": (0.54, (_arc(0.31, -0.36, 0.26, 0.36, -42, -318),)),
    "d": (0.6, (_BOWL, ((0.54, -1.0), (0.54, 0.0)))),
    "e": (0.6, (((0.05, -0.38), (0.55, -0.38)) + _arc(0.3, -0.36, 0.25, 0.36, -4, -318)[1:],)),
    "f": (
        0.4,
        (((0.18, 0.0), (0.18, -0.8)) + _arc(0.32, -0.8, 0.14, 0.19, 180, 285)[1:], ((0.02, -0.66), (0.36, -0.66))),
    ),
    "g": (0.6, (_BOWL, ((0.54, -0.72), (0.54, 0.02)) + _arc(0.3, 0.02, 0.24, 0.23, 0, 150)[1:])),
    "h": (0.58, (_TALL, _ARCH)),
    "i": (0.2, (((0.1, -0.72), (0.1, 0.0)), ((0.1, -0.97), (0.1, -0.96)))),
    "j": (
        0.24,
        (((0.14, -0.72), (0.14, 0.08)) + _arc(0.0, 0.08, 0.14, 0.16, 0, 80)[1:], ((0.14, -0.97), (0.14, -0.96))),
    ),
    "k": (0.54, (_TALL, ((0.48, -0.7), (0.07, -0.28)), ((0.2, -0.42), (0.52, 0.0)))),
    "l": (0.2, (((0.1, -1.0), (0.1, 0.0)),)),
    "m": (
        0.9,
        (
            _STEM,
            (*_arc(0.26, -0.48, 0.2, 0.24, 180, 360), (0.46, 0.0)),
            (*_arc(0.66, -0.48, 0.2, 0.24, 180, 360), (0.86, 0.0)),
        ),
    ),
    "n": (0.58, (_STEM, _ARCH)),
    "o": (0.58, (_BOWL,)),
    "p": (0.6, (((0.06, -0.72), (0.06, 0.25)), _arc(0.31, -0.36, 0.25, 0.36, 0, 360))),
    "q": (0.6, (_BOWL, ((0.54, -0.72), (0.54, 0.25)))),
    "r": (0.4, (_STEM, _arc(0.29, -0.44, 0.23, 0.28, 180, 290))),
    "s": (
        0.56,
        (
            _arc(0.28, -0.52, 0.22, 0.2, -25, -180)
            + _arc(0.28, -0.52, 0.22, 0.2, 180, 90)[1:]
            + _arc(0.28, -0.16, 0.24, 0.16, -90, 90)[1:]
            + _arc(0.28, -0.16, 0.24, 0.16, 90, 155)[1:],
        ),
    ),
    "t": (
        0.42,
        (((0.2, -0.94), (0.2, -0.16)) + _arc(0.33, -0.16, 0.13, 0.16, 180, 80)[1:], ((0.02, -0.7), (0.4, -0.7))),
    ),
    "u": (
        0.58,
        (((0.06, -0.72), (0.06, -0.26)) + _arc(0.29, -0.26, 0.23, 0.26, 180, 0)[1:], ((0.52, -0.72), (0.52, 0.0))),
    ),
    "v": (0.56, (((0.02, -0.72), (0.28, 0.0), (0.54, -0.72)),)),
    "w": (0.82, (((0.02, -0.72), (0.21, 0.0), (0.41, -0.68), (0.61, 0.0), (0.8, -0.72)),)),
    "x": (0.54, (((0.03, -0.72), (0.51, 0.0)), ((0.51, -0.72), (0.03, 0.0)))),
    "y": (0.58, (((0.02, -0.72), (0.29, -0.02)), ((0.56, -0.72), (0.24, 0.14), (0.16, 0.24), (0.04, 0.25)))),
    "z": (0.52, (((0.04, -0.72), (0.48, -0.72), (0.04, 0.0), (0.48, 0.0)),)),
    "0": (0.6, (_arc(0.3, -0.5, 0.25, 0.5, 0, 360),)),
    "1": (0.36, (((0.04, -0.8), (0.24, -1.0), (0.24, 0.0)),)),
    "2": (0.58, (_arc(0.29, -0.74, 0.23, 0.26, 195, 380) + ((0.05, 0.0), (0.54, 0.0)),)),
    "3": (
        0.58,
        (_arc(0.27, -0.75, 0.22, 0.25, 200, 450) + _arc(0.27, -0.25, 0.25, 0.25, -90, 155)[1:],),
    ),
    "4": (0.6, (((0.44, 0.0), (0.44, -1.0), (0.04, -0.28), (0.57, -0.28)),)),
    "5": (0.58, (((0.5, -1.0), (0.12, -1.0), (0.08, -0.56)) + _arc(0.28, -0.32, 0.25, 0.32, -140, 150)[1:],)),
    "6": (0.58, (_arc(0.29, -0.3, 0.24, 0.3, 0, 360), ((0.06, -0.34), (0.2, -0.74), (0.42, -1.0)))),
    "7": (0.54, (((0.03, -1.0), (0.51, -1.0), (0.18, 0.0)),)),
    "8": (0.58, (_arc(0.29, -0.76, 0.21, 0.24, 0, 360), _arc(0.29, -0.26, 0.25, 0.26, 0, 360))),
    "9": (0.58, (_arc(0.29, -0.7, 0.24, 0.3, 0, 360), ((0.52, -0.66), (0.38, -0.26), (0.16, 0.0)))),
    ".": (0.18, (((0.09, -0.03), (0.09, -0.02)),)),
    ",": (0.18, (((0.11, -0.03), (0.05, 0.14)),)),
    ":": (0.18, (((0.09, -0.03), (0.09, -0.02)), ((0.09, -0.5), (0.09, -0.49)))),
    "-": (0.42, (((0.06, -0.36), (0.36, -0.36)),)),
    "/": (0.44, (((0.4, -1.0), (0.04, 0.1)),)),
    "'": (0.16, (((0.08, -1.0), (0.07, -0.78)),)),
    "?": (
        0.5,
        (_arc(0.24, -0.76, 0.2, 0.24, 190, 420) + ((0.24, -0.36), (0.24, -0.24)), ((0.24, -0.03), (0.24, -0.02))),
    ),
}


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
