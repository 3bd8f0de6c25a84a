"""The inner mouth, cut from a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import MouthHint

INNER, OUTER = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
CHEEKS = np.array([36, 50, 101, 117, 118, 266, 280, 330, 346, 347])
"""An even number of places below the eyes."""
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
    return MouthHint(pixels[y0:y1, x0:x1].copy(), outline, *_colours(pixels, landmarks))


def _colours(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3,) each: the mean of the lips, and the median of the cheeks, which hair or glasses may cover in part."""
    plane = landmarks[:, :2]
    places = np.rint(np.concatenate([(plane[INNER] + plane[OUTER]) / 2, plane[CHEEKS]])).astype(np.intp)
    np.maximum(places, 0, out=places)
    np.minimum(places, (pixels.shape[1] - 1, pixels.shape[0] - 1), out=places)
    colours = pixels[places[:, 1], places[:, 0]].astype(np.float64)
    lips, cheeks = colours[: len(INNER)], np.sort(colours[len(INNER) :], axis=0)
    return lips.mean(axis=0), (cheeks[len(cheeks) // 2 - 1] + cheeks[len(cheeks) // 2]) / 2
