"""Signature of a frame for cut detection: structure, colours, and the head's position.

A picture is looked at in 64 x 64 places. Their means over 16 x 16 cells give steps of brightness between neighbours,
which a change of exposure, a fade or a flash scales but does not turn round. The places' colours give a histogram.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import RIGID
from mien.face.topology import canonical_face

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

PLACES, CELLS = 64, 16
SHARE: Final = PLACES // CELLS
STEPS: Final = CELLS - 1
"""Steps along a row or column."""
FLAT = 2.0
"""Root mean square of steps in grey levels below which there is no structure: a blank picture, a hand on the lens."""
BINS = 512
Array = NDArray[np.float64]
SPEED, REACH = 10.0, 0.4
"""How fast a head moves at most, in eye distances a second, and how far a landmarker may be off."""
NEARING, BREATHING = 1.5, 0.08
"""The same for the logarithm of its size."""
HEAD, FACE = (1.1, 1.6, 3.0), (0.9, 1.0, 1.0)
"""How far a head with its shoulders, and a face, reach to the side, above and below the middle, in eye distances."""
ROOM = 0.25
"""Share of the picture that must lie outside of heads to tell of surroundings."""


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """A frame as the shot detector remembers it."""

    steps: Floats
    """(2, 15, 15): how much brighter the cell to the right and the one below are, in grey levels."""
    colours: Floats
    """(512,): shares of colours, which sum to 1."""
    seconds: float


def signature_of(pixels: Pixels, seconds: float) -> Signature:
    """The look of a picture (H, W, 3 or 4), shown at `seconds`."""
    height, width, channels = pixels.shape
    seen = pixels.reshape(-1, channels).take(_places(height, width), axis=0)
    sums = _four_by_four(seen[:, :3].astype(np.uint16).reshape(PLACES, PLACES, 3))
    cells = (sums[..., 0] + 2.0 * sums[..., 1] + sums[..., 2]).astype(np.float32) / np.float32(4 * SHARE * SHARE)
    steps = np.empty((2, STEPS, STEPS), np.float32)
    np.subtract(cells[:-1, 1:], cells[:-1, :-1], out=steps[0])
    np.subtract(cells[1:, :-1], cells[:-1, :-1], out=steps[1])
    fine = (seen >> 5).astype(np.intp)
    bins = (fine[:, 0] << 6) | (fine[:, 1] << 3) | fine[:, 2]
    colours = np.bincount(bins, minlength=BINS).astype(np.float32) / np.float32(PLACES * PLACES)
    return Signature(steps, colours, seconds)


def structure_apart(a: Signature, b: Signature, within: Bits | None = None) -> float | None:
    """How different two pictures are laid out: 0 the same, 1 as unlike as any two. None where one of them is blank.

    Args:
        within: (15, 15), which places count; None: all.
    """
    first, second = (a.steps, b.steps) if within is None else (a.steps[:, within], b.steps[:, within])
    energies = float(np.vdot(first, first)), float(np.vdot(second, second))
    if min(energies) <= FLAT**2 * first.size:
        return None
    return 1 - float(np.vdot(first, second)) / float(np.sqrt(energies[0] * energies[1]))


def is_blank(signature: Signature) -> bool:
    """Whether the picture has no structure to compare."""
    return float(np.vdot(signature.steps, signature.steps)) <= FLAT**2 * signature.steps.size


def colours_apart(a: Signature, b: Signature) -> float:
    """0: the same colours in the same shares; 1: none in common."""
    return 1 - float(np.minimum(a.colours, b.colours).sum())


def _four_by_four(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(16, 16, 3): sums over squares of (64, 64, 3); several times as fast as `sum` over two axes."""
    rows = values[0::SHARE] + values[1::SHARE] + values[2::SHARE] + values[3::SHARE]
    return np.asarray(rows[:, 0::SHARE] + rows[:, 1::SHARE] + rows[:, 2::SHARE] + rows[:, 3::SHARE])


@lru_cache(maxsize=8)
def _places(height: int, width: int) -> NDArray[np.intp]:
    """(4096,): numbers of the pixels that are looked at, row by row."""
    middle = (np.arange(PLACES) + 0.5) / PLACES
    return ((middle * height).astype(np.intp)[:, None] * width + (middle * width).astype(np.intp)).ravel()


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
