"""Where the body goes on behind the head: the neck up to the skull, the shoulders behind hanging hair."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SKULL: Final = (0.0, 0.7, 0.1)
"""The canonical point at which the neck ends, behind the face."""
THINNEST, USUAL, WIDEST = 0.42, 0.56, 0.85
"""Half the neck's width in eye distances."""
OVERLAP: Final = 0.3
"""How far the body goes on behind hair above what is seen of it, in eye distances."""
UNDER: Final = 0.12
"""How far the body goes on behind the head all along its edge, in eye distances."""
ROUNDED: Final = 0.12
"""Width over which its outline behind hair is made smooth, in eye distances."""
FALLING: Final = 0.5
"""Slope of shoulders of which nothing is seen."""
CONVERGING: Final = 0.6
"""Width of the neck's upper end, as a share of its width below the jaw."""


def hidden_body(head: Floats, body: Floats, whole: Floats, landmarks: Array, pose: Similarity) -> tuple[Floats, Floats]:
    """(H, W) in 0..1 each: the body where the head lies before it, and the neck, seen or not.

    Args:
        head, body, whole: (H, W) in 0..1: opacities of what is seen of the head, of the body, and of both.
        landmarks: (478, 3) in pixels, posed by `pose`.
    """
    cells = np.zeros(head.shape, np.uint8)
    tops = _shoulders(head, body, whole, pose.scale)
    cells[np.arange(head.shape[0])[:, None] >= tops[None]] = 255
    neck = np.zeros(head.shape, np.uint8)
    cv2.fillPoly(neck, [np.rint(_neck(head, body, landmarks, pose) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    reach = 2 * max(round(UNDER * pose.scale), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    beside = cv2.dilate((body > 0.5).astype(np.uint8) * 255, disc)
    cells = np.maximum(cells, np.where(head > 0.5, beside, np.uint8(0)))
    soft = _soft(np.maximum(cells, neck))
    before = cv2.dilate((head > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(soft * before, dtype=np.float32), _soft(neck)


def _soft(cells: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.GaussianBlur(cells.astype(np.float32) / 255, (0, 0), 1.2), dtype=np.float32)


def _shoulders(head: Floats, body: Floats, whole: Floats, unit: float) -> Array:
    """(W,): the row at which the body begins in each column; behind hair as a line between what is seen beside it,
    falling outwards where nothing is, and somewhat above what is seen below the hair, so that no gap opens there."""
    height, width = head.shape
    seen = body > 0.5
    tops = np.where(seen.any(axis=0), seen.argmax(axis=0), height).astype(np.float64)
    above = np.clip(tops.astype(np.int64) - 4, 0, height - 1)
    columns = np.arange(width)
    free = (tops < height) & (tops > 4) & (whole[above, columns] < 0.3)
    met = np.where(tops < height, tops - OVERLAP * unit, height)
    if not free.any():
        return _rounded(met, tops, unit)
    ends = np.flatnonzero(free)[[0, -1]]
    line = np.interp(columns, columns[free], tops[free])
    line += FALLING * np.maximum(np.maximum(ends[0] - columns, columns - ends[1]), 0)
    return np.where(free, tops, _rounded(np.where(free, tops, np.minimum(met, line)), tops, unit))


def _rounded(rows: Array, seen: Array, unit: float) -> Array:
    """(W,): a line of rows without steps, nowhere below what is `seen` (W,)."""
    soft = cv2.GaussianBlur(rows[None], (0, 0), ROUNDED * unit, borderType=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.minimum(soft, seen))


def _neck(head: Floats, body: Floats, landmarks: Array, pose: Similarity) -> Array:
    """(4, 2): outline of the neck from below the jaw to the skull, in pixels."""
    unit, top = pose.scale, pose.apply(np.array([SKULL]))[0, :2]
    chin = landmarks[152, :2]
    across = _level(pose)
    half = [_half(head, body, chin, side * across, unit) for side in (-1, 1)]
    low = chin + 0.25 * unit * np.array([-across[1], across[0]])
    middle_low = low + across * (half[1] - half[0]) / 2
    left, right = low - across * half[0], low + across * half[1]
    width = CONVERGING * (half[0] + half[1]) / 2
    middle_top = top + 0.3 * (middle_low - low)
    return np.array([left, middle_top - across * width, middle_top + across * width, right])


def _level(pose: Similarity) -> Array:
    """(2,): the direction to the head's side in the picture."""
    way = pose.rotation[:2, 0]
    return np.asarray(way / np.linalg.norm(way))


def _half(head: Floats, body: Floats, chin: Array, way: Array, unit: float) -> float:
    """How far the neck reaches to one side of the chin, in pixels: as far as skin of the body touches the jaw."""
    reach = np.arange(THINNEST, WIDEST, 0.02) * unit
    down = np.array([-way[1], way[0]])
    down = down if down[1] > 0 else -down
    places = chin + reach[:, None, None] * way + (np.arange(-0.9, 0.25, 0.03) * unit)[None, :, None] * down
    x, y = np.rint(places).astype(np.int64).transpose(2, 0, 1)
    height, width = head.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    touches = (((body[y, x] > 0.5) & inside).any(axis=1)) & (((head[y, x] > 0.5) & inside).any(axis=1))
    if not touches.any():
        return USUAL * unit
    return float(np.clip(reach[touches].max(), USUAL * unit, WIDEST * unit))
