"""What the frame cuts off: layers are continued beyond the picture, by mirroring, within a plausible outline."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity
from mien.portrait.portrait import Layer

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

HEAD_ROOM: Final = 0.8
"""How far a head is continued, in eye distances."""
BODY_ROOM: Final = 0.9
"""How far a body is, to the sides and downwards."""
CROWN: Final = 1.45
"""Height above the eyes, in eye distances, at which a head with its hair ends at least."""
LEAST_CAP: Final = 0.25
"""Least height of what a cut head is continued by, as a share of the cut's width."""


def head_beyond(pixels: Pixels, alpha: Pixels, landmarks: Array, pose: Similarity) -> Layer:
    """The head's layer from colours (H, W, 3) and opacity (H, W) in the picture: rounded off where the frame cuts."""
    room = round(HEAD_ROOM * pose.scale)
    top, left, right = (room if _cut(line) else 0 for line in (alpha[0], alpha[:, 0], alpha[:, -1]))
    wide = _mirrored(pixels, top, 0, left, right)
    height, width = alpha.shape
    out = np.zeros(wide.shape[:2], np.uint8)
    out[top : top + height, left : left + width] = alpha
    if left:
        out[top : top + height, :left] = _cap(alpha[:, 0], left, pose.scale)[:, ::-1]
    if right:
        out[top : top + height, left + width :] = _cap(alpha[:, -1], right, pose.scale)
    if top:
        above = float(landmarks[[33, 263], 1].mean()) / pose.scale
        line = out[top]
        out[:top] = _cap(line, top, pose.scale, (CROWN - above) * pose.scale).T[::-1]
    return Layer(wide, out, (-left, -top))


def body_beyond(pixels: Pixels, alpha: Pixels, eyes: float) -> Layer:
    """The body's layer: continued downwards as it meets the frame, to the sides along the slope of its outline."""
    room = round(BODY_ROOM * eyes)
    wide = _mirrored(pixels, 0, room, room, room)
    out = cv2.copyMakeBorder(alpha, 0, room, room, room, cv2.BORDER_REPLICATE)
    depth = np.arange(1, room + 1)
    rows = np.arange(len(out))[:, None]
    for sides, outwards in ((alpha, -1), (alpha[:, ::-1], 1)):
        top, slope = _slope(sides, max(round(0.4 * eyes), 4))
        beyond = np.clip(rows - (top + slope * depth) + 0.5, 0, 1)
        part = out[:, :room][:, ::-1] if outwards < 0 else out[:, -room:]
        np.minimum(part, np.rint(beyond * 255).astype(np.uint8), out=part)
    return Layer(wide, out, (-room, 0))


def _slope(alpha: Pixels, columns: int) -> tuple[float, float]:
    """The row at which the body begins in the first column of `alpha` (H, W), and by how much it falls per column
    outwards."""
    seen = alpha[:, :columns] > 127
    tops = np.where(seen.any(axis=0), seen.argmax(axis=0), len(alpha)).astype(np.float64)
    slope = (tops[0] - tops[-1]) / max(columns - 1, 1)
    return float(tops[0]), float(np.clip(slope, 0.0, 2.0))


def _cut(line: Pixels) -> bool:
    return bool((line > 127).sum() > 2)


def _mirrored(pixels: Pixels, top: int, bottom: int, left: int, right: int) -> Pixels:
    return np.ascontiguousarray(cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_REFLECT_101))


def _cap(line: Pixels, room: int, unit: float, height: float = 0.0) -> Pixels:
    """(n, room): opacity beyond a line (n,) of the frame, outwards: half an ellipse over each stretch that is cut."""
    out = np.zeros((len(line), room), np.float32)
    away = np.arange(1, room + 1, dtype=np.float32)
    inside = np.flatnonzero(np.diff(np.concatenate([[0], (line > 127).astype(np.int8), [0]])))
    for first, last in zip(inside[::2].tolist(), inside[1::2].tolist(), strict=True):
        half, middle = (last - first) / 2, (first + last - 1) / 2
        tall = min(max(height, 2 * half * LEAST_CAP, 0.15 * unit), room - 3.0)
        along = (np.arange(len(line), dtype=np.float32) - middle) / max(half, 1.0)
        edge = tall * np.sqrt(np.clip(1 - along * along, 0, 1))
        out = np.maximum(out, np.clip(edge[:, None] - away[None] + 0.5, 0, 1))
    return np.asarray(np.rint(out * 255), dtype=np.uint8)
