"""One person in one piece: what a segmentation took for a person elsewhere goes, and small holes close."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

CELLS = 256
"""Along the longer side: as fine as a segmentation is."""
HOLE = 0.5
"""Area in squared eye distances up to which a hole is an error; larger ones are gaps that show the background."""
CREVICE = 0.1
"""Half the width in eye distances of the crevices through which a hole may be open and yet count as one."""
SOFT = 4
"""Cells around the person in which its soft edge is kept."""


def one_person(person: Floats, landmarks: NDArray[np.float64]) -> Floats:
    """`person` (H, W) in 0..1 with only what hangs together with the face of `landmarks` (478, 2 or 3), holes shut.

    Where no landmark lies on a person, `person` comes back as it is.
    """
    stride = max(-(-max(person.shape) // CELLS), 1)
    inside = person[::stride, ::stride] > 0.5
    own = _flood(_cells(landmarks, stride, inside.shape) & inside, inside)
    if not own.any():
        return person
    eyes = eye_distance(landmarks) / stride
    reach = max(round(CREVICE * eyes), 1)
    shut = own | _grown(_small_holes(_grown(own, reach), HOLE * eyes**2), reach + 1)
    kept = np.where(_enlarged(_grown(shut, SOFT), stride, person.shape), person, 0.0)
    return np.where(_enlarged(shut & ~own, stride, person.shape), 1.0, kept).astype(np.float32)


def _cells(landmarks: NDArray[np.float64], stride: int, shape: tuple[int, ...]) -> Bits:
    out = np.zeros(shape, bool)
    x, y = (landmarks[:, :2] / stride).astype(np.int64).T
    seen = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    out[y[seen], x[seen]] = True
    return out


def _small_holes(own: Bits, largest: float) -> Bits:
    """Cells that `own` encloses, but for those of holes with more than `largest` cells."""
    rim = np.ones_like(own)
    rim[1:-1, 1:-1] = False
    left = ~own & ~_flood(rim & ~own, ~own)
    out = np.zeros_like(own)
    while left.any():
        seed = np.zeros_like(own)
        seed.flat[int(left.argmax())] = True
        hole = _flood(seed, left)
        left &= ~hole
        if hole.sum() <= largest:
            out |= hole
    return out


def _flood(seeds: Bits, within: Bits) -> Bits:
    """All cells of `within` that hang together with `seeds`, over edges."""
    reached = seeds
    while True:
        further = _grown(reached) & within
        if (further == reached).all():
            return reached
        reached = further


def _grown(cells: Bits, steps: int = 1) -> Bits:
    for _ in range(steps):
        out = cells.copy()
        out[1:] |= cells[:-1]
        out[:-1] |= cells[1:]
        out[:, 1:] |= cells[:, :-1]
        out[:, :-1] |= cells[:, 1:]
        cells = out
    return cells


def _enlarged(cells: Bits, stride: int, shape: tuple[int, ...]) -> Bits:
    return cells.repeat(stride, axis=0).repeat(stride, axis=1)[: shape[0], : shape[1]]
