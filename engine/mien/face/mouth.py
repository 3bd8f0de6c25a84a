"""The inner mouth, cut from a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import MouthHint

INNER, OUTER = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
MARGIN = 3
"""Pixels kept around the lips."""


def mouth_hint(pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> MouthHint | None:
    """The hint from a frame (H, W, 3) and its landmarks (478, 3); None where the mouth lies outside of the frame."""
    height, width = pixels.shape[:2]
    lips = landmarks[OUTER, :2]
    x0, y0 = (int(v) - MARGIN for v in lips.min(axis=0))
    x1, y1 = (int(np.ceil(v)) + MARGIN for v in lips.max(axis=0))
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        return None
    outline = landmarks[INNER, :2] - np.array([x0, y0], dtype=np.float64)
    return MouthHint(pixels[y0:y1, x0:x1].copy(), outline, _lip_colour(pixels, landmarks))


def _lip_colour(pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (landmarks[INNER, :2] + landmarks[OUTER, :2]) / 2
    x, y = np.rint(middle).astype(np.int64).T
    inside = (x >= 0) & (y >= 0) & (x < pixels.shape[1]) & (y < pixels.shape[0])
    return np.asarray(pixels[y[inside], x[inside]].astype(np.float64).mean(axis=0))
