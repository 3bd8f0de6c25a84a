"""Where a head is in a frame, and how far heads can move."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face.canonical import canonical_face
from mien.face.pose import RIGID
from mien.parse.look import STEPS, Bits

Array = NDArray[np.float64]

SPEED, REACH = 10.0, 0.4
"""How fast a head moves at most, in eye distances a second, and how far a landmarker may be off."""
NEARING, BREATHING = 1.5, 0.08
"""The same for the logarithm of its size."""
HEAD, FACE = (1.1, 1.6, 3.0), (0.9, 1.0, 1.0)
"""How far a head with its shoulders, and a face, reach to the side, above and below the middle, in eye distances."""
ROOM = 0.25
"""Share of the picture that must lie outside of heads to tell of surroundings."""


def place_of(landmarks: Array, size: tuple[int, int]) -> Array:
    """(4,): the head's x, y and size in widths of the frame, and the frame's height in them; of landmarks
    (478, 3) in pixels of a frame of `size` (width, height)."""
    rigid = landmarks[RIGID]
    middle = rigid.sum(axis=0) / len(rigid)
    return np.array([middle[0], middle[1], _spread(rigid - middle) / _usual_spread(), size[1]]) / size[0]


def _spread(points: Array) -> float:
    """Root mean square distance of points (N, 3) from their middle: the same however the head is turned."""
    return math.sqrt(float(np.vdot(points, points)) / len(points))


@lru_cache(maxsize=1)
def _usual_spread() -> float:
    points = canonical_face().points[RIGID]
    return _spread(points - points.mean(axis=0))


def moved(a: Array, b: Array, seconds: float) -> float:
    """How far a face has moved in `seconds`, relative to how far heads may."""
    seconds = max(seconds, 0.0)
    way = float(np.hypot(*(b[:2] - a[:2]))) / max(float(a[2]), float(b[2]), 1e-6)
    growth = abs(float(np.log(b[2] / a[2])))
    return max(way / (REACH + SPEED * seconds), growth / (BREATHING + NEARING * seconds))


def surroundings(*places: Array | None) -> Bits:
    """(15, 15): steps that lie outside of heads and shoulders; none where too few do to tell."""
    out = np.ones((STEPS, STEPS), np.bool_)
    for place in places:
        if place is not None:
            out &= outside_of(place, shoulders=True)
    return out if out.mean() >= ROOM else np.zeros_like(out)


def outside_of(place: Array, *, shoulders: bool = False) -> Bits:
    """(15, 15): steps that lie outside of a head, or of its shoulders, too."""
    middle = (np.arange(STEPS) + 1) / (STEPS + 1)
    x, y, size, height = place.tolist()
    aside, above, below = (reach * size for reach in (HEAD if shoulders else FACE))
    columns = np.abs(middle - x) < aside
    rows = (middle * height > y - above) & (middle * height < y + below)
    return np.asarray(~(rows[:, None] & columns[None]))
