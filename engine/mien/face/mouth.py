"""The inner mouth, cut from a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import MouthHint

INNER, OUTER = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
CHEEKS = np.array([36, 50, 101, 117, 118, 266, 280, 330, 346, 347])
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
    lips = _seen(pixels, (landmarks[INNER, :2] + landmarks[OUTER, :2]) / 2).mean(axis=0)
    cheeks = _seen(pixels, landmarks[CHEEKS, :2])
    skin = np.median(cheeks, axis=0) if len(cheeks) else None
    return MouthHint(pixels[y0:y1, x0:x1].copy(), outline, lips, skin)


def _seen(pixels: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): the colours at those of the points (N, 2) that lie in the picture (H, W, 3)."""
    x, y = np.rint(points).astype(np.int64).T
    inside = (x >= 0) & (y >= 0) & (x < pixels.shape[1]) & (y < pixels.shape[0])
    return np.asarray(pixels[y[inside], x[inside]], dtype=np.float64)
