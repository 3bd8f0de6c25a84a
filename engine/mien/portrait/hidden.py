"""Where the body goes on behind the head: the neck up to the skull, the shoulders behind hanging hair."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity
from mien.portrait.neck import neck_behind

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

OVERLAP: Final = 0.3
"""How far the body goes on behind hair above what is seen of it, in eye distances."""
UNDER: Final = 0.12
"""How far the body goes on behind the head all along its edge, in eye distances."""
RISES: Final = 0.7
"""How far it goes on there at most, as a multiple of the distance from the background: no corner stands out beside the
head when it moves."""
ROUNDED: Final = 0.12
"""Width over which its outline behind hair is made smooth, in eye distances."""
FALLING: Final = 0.5
"""Slope of shoulders of which nothing is seen."""


def hidden_body(
    head: Floats, body: Floats, whole: Floats, skin: Bits, landmarks: Array, pose: Similarity
) -> tuple[Floats, Floats]:
    """(H, W) in 0..1 each: the body where the head lies before it, and the neck, seen or not.

    Args:
        head, body, whole: (H, W) in 0..1: opacities of what is seen of the head, of the body, and of both.
        skin: (H, W): where the neck is bare.
        landmarks: (478, 3) in pixels, posed by `pose`.
    """
    seen = (body > 0.5).astype(np.uint8)
    away = cv2.distanceTransform(1 - seen, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    room = cv2.distanceTransform((whole > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    raised, line = _shoulders(head, body, whole, pose.scale)
    rows = np.arange(head.shape[0])[:, None]
    above = (rows >= raised) | ((away <= UNDER * pose.scale) & (head > 0.5))
    cells = np.where((rows >= line) | above & (away <= RISES * room), np.uint8(255), np.uint8(0))
    neck = neck_behind(head, body, whole, skin, landmarks, pose, room)
    soft = _soft(np.maximum(cells, neck))
    before = cv2.dilate((head > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(soft * before, dtype=np.float32), _soft(neck)


def _soft(cells: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.GaussianBlur(cells.astype(np.float32) / 255, (0, 0), 1.2), dtype=np.float32)


def _shoulders(head: Floats, body: Floats, whole: Floats, unit: float) -> tuple[Array, Array]:
    """(W,) each: the rows at which the body begins in each column; the second behind hair as a line between what is
    seen beside it, falling outwards where nothing is, the first somewhat above what is seen below the hair, too, so
    that no gap opens there."""
    height, width = head.shape
    seen = body > 0.5
    tops = np.where(seen.any(axis=0), seen.argmax(axis=0), height).astype(np.float64)
    above = np.clip(tops.astype(np.int64) - 4, 0, height - 1)
    columns = np.arange(width)
    free = (tops < height) & (tops > 4) & (whole[above, columns] < 0.3)
    met = np.where(tops < height, tops - OVERLAP * unit, height)
    if not free.any():
        return _rounded(met, tops, unit), tops
    ends = np.flatnonzero(free)[[0, -1]]
    line = np.interp(columns, columns[free], tops[free])
    line += FALLING * np.maximum(np.maximum(ends[0] - columns, columns - ends[1]), 0)
    raised = np.where(free, tops, _rounded(np.where(free, tops, np.minimum(met, line)), tops, unit))
    return raised, np.where(free, tops, line)


def _rounded(rows: Array, seen: Array, unit: float) -> Array:
    """(W,): a line of rows without steps, nowhere below what is `seen` (W,)."""
    soft = cv2.GaussianBlur(rows[None], (0, 0), ROUNDED * unit, borderType=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.minimum(soft, seen))
