"""Faces from what a detector says at its anchors, by the rules of MediaPipe's face detection."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.parse.region import FaceRegion

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

NUMBERS: Final = 16
"""Of an anchor: the box's middle and size, then eyes, nose, mouth and ears, all x before y."""
OVERLAP: Final = 0.3
"""Intersection over union above which boxes are of one face."""
CELLS: Final = {896: ((16, 2), (8, 6)), 2304: ((48, 1),)}
"""By number of anchors: how many cells there are side by side, and anchors in each."""


def anchors(count: int) -> Floats:
    """(count, 2): middles of the anchors, 0..1, in the order of the detector's outputs.

    Raises:
        ModelError: it is a number that no detector of MediaPipe's has.
    """
    if count not in CELLS:
        known = " or ".join(map(str, CELLS))
        raise ModelError(f"face detector: expected {known} anchors, got {count}; take the packaged model `landmarks`")
    parts = []
    for cells, each in CELLS[count]:
        middles = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
        grid = np.stack(np.broadcast_arrays(middles[None, :], middles[:, None]), axis=2).reshape(-1, 2)
        parts.append(np.repeat(grid, each, axis=0))
    return np.concatenate(parts)


def detections(boxes: Floats, scores: Floats, places: Floats, side: int, least: float) -> Floats:
    """Detections (M, 8, 2), surest first: two corners of the box, then six points; 0..1 in the detector's picture.

    Boxes that overlap are one face: their mean, weighted by their scores.

    Args:
        boxes: (16 N,) in pixels of the detector's picture, relative to the anchors.
        scores: (N,) in 0..1.
        places: `anchors`.
        side: of the detector's picture, in pixels.
        least: scores below it are no face.
    """
    likely = np.flatnonzero(scores >= least)
    order = likely[np.argsort(-scores[likely], kind="stable")]
    points = boxes.reshape(-1, NUMBERS // 2, 2)[order] / np.float32(side)
    size = points[:, 1].copy()
    points = points + places[order, None]
    middle = points[:, 0]
    found = np.concatenate([(middle - size / 2)[:, None], (middle + size / 2)[:, None], points[:, 2:]], axis=1)
    right = (size >= 0).all(axis=1)
    found, weights = found[right], scores[order][right]
    out = []
    while len(found):
        same = _overlaps(found[0], found) > OVERLAP
        same[0] = True
        out.append(np.tensordot(weights[same], found[same], 1) / weights[same].sum())
        found, weights = found[~same], weights[~same]
    return np.array(out, np.float32).reshape(-1, NUMBERS // 2, 2)


def region_of(detection: Floats, seen: FaceRegion) -> FaceRegion:
    """Where to look for the landmarks of a detection (8, 2) in the square that the detector saw."""
    low, high, left, right = (_placed(detection[i], seen) for i in range(4))
    return FaceRegion.around((low[0], low[1]), (high[0], high[1]), left, right)


def _placed(point: Floats, seen: FaceRegion) -> Array:
    return np.asarray(np.array([seen.x, seen.y]) + seen.side * (point.astype(np.float64) - 0.5))


def _overlaps(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box with each of some (M, 8, 2)."""
    low, high = np.maximum(one[0], others[:, 0]), np.minimum(one[1], others[:, 1])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 1] - others[:, 0], axis=1)
    return np.asarray(shared / np.maximum(np.prod(one[1] - one[0]) + areas - shared, np.float32(1e-12)), np.float32)
