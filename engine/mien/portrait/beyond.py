"""What the frame cuts off: the outlines of head and body, continued beyond the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Values = TypeVar("Values", bound=NDArray[Any])

HEAD_ROOM: Final = 0.8
"""How far a head is continued, in eye distances."""
BODY_ROOM: Final = 0.9
"""How far a body is, to the sides and downwards."""
CROWN: Final = 1.45
"""Height above the eyes, in eye distances, at which a head with its hair ends at least."""
LEAST_CAP: Final = 0.3
"""Least, and below most, height of what a cut head is continued by, as a share of the cut's width."""
LEAST_SIDE: Final = 0.2
"""The same where the frame cuts its side."""
HIGHEST_CAP: Final = 0.36
ROUNDED: Final = 0.05
"""How much corners of what is continued are rounded, as a share of the cut's width."""
SOFTEST: Final = 0.15
"""How soft the edge of what is continued is at most, in eye distances."""
SHOULDERS: Final = 0.3
"""Least slope at which a body falls beside the picture."""
SLANT: Final = 0.05, 0.15
"""Eye distances within the frame over which the slant is measured at which an outline meets it; the lower one counts:
an outline that bends goes on bending."""
FIRM, STEEP = 0.4, 4.0
"""Opacity at the frame that goes on as half, and how much steeper than there it changes: what is half sure at the frame
would be a half transparent body beyond."""
LEAST_CUT: Final = 0.12
"""Eye distances of the frame below which it cuts nothing off."""


@dataclass(frozen=True, slots=True)
class Room:
    """By how many pixels a canvas is larger than the picture on each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @property
    def corner(self) -> tuple[int, int]:
        """x and y of the canvas's first pixel in the picture."""
        return -self.left, -self.top

    def around(self, values: Values) -> Values:
        """`values` (H, W, ...) of the picture on the canvas, zero beside it."""
        sides = ((self.top, self.bottom), (self.left, self.right), (0, 0))
        return cast(Values, np.pad(values, sides[: values.ndim]))

    def mirrored(self, values: Values) -> Values:
        """`values` (H, W, ...) of the picture on the canvas, mirrored at the picture's border."""
        return cast(Values, cv2.copyMakeBorder(values, *self._sides, cv2.BORDER_REFLECT_101))

    def repeated(self, values: Values) -> Values:
        """`values` (H, W, ...) of the picture on the canvas, those at the picture's border repeated."""
        return cast(Values, cv2.copyMakeBorder(values, *self._sides, cv2.BORDER_REPLICATE))

    @property
    def _sides(self) -> tuple[int, int, int, int]:
        return self.top, self.bottom, self.left, self.right

    def put(self, values: NDArray[Any], canvas: NDArray[Any]) -> None:
        """Write `values` of the picture into the canvas."""
        height, width = values.shape[:2]
        canvas[self.top : self.top + height, self.left : self.left + width] = values


def head_beyond(opacity: Floats, landmarks: Array, pose: Similarity) -> tuple[Floats, Room]:
    """The head's opacity (H, W) in 0..1 on a canvas with room where the frame cuts it; rounded off there."""
    unit = pose.scale
    pixels = round(HEAD_ROOM * unit)
    inwards = opacity.T, opacity, opacity[:, ::-1]
    top, left, right = (pixels if _is_cut(side[:, 0], unit) else 0 for side in inwards)
    room = Room(top=top, left=left, right=right)
    out = room.around(opacity)
    height, width = opacity.shape
    if left:
        out[top : top + height, :left] = _cap(opacity, left, unit, least=LEAST_SIDE)[:, ::-1]
    if right:
        out[top : top + height, left + width :] = _cap(opacity[:, ::-1], right, unit, least=LEAST_SIDE)
    if top:
        above = float(landmarks[[33, 263], 1].mean())
        out[:top] = _cap(out[top:].T, top, unit, CROWN * unit - above).T[::-1]
    return out, room


def body_beyond(opacity: Floats, eyes: float) -> tuple[Floats, Room]:
    """The body's opacity (H, W) in 0..1 on a canvas with room beside and below: continued downwards as it meets the
    frame, to the sides along the slope of its outline."""
    pixels = round(BODY_ROOM * eyes)
    room = Room(bottom=pixels, left=pixels, right=pixels)
    firm = np.clip((opacity - FIRM) * STEEP + 0.5, 0, 1)
    out: Floats = cv2.copyMakeBorder(firm, 0, pixels, pixels, pixels, cv2.BORDER_REPLICATE)
    depth, rows = np.arange(1, pixels + 1), np.arange(len(out))[:, None]
    for sides, part in ((opacity, out[:, :pixels][:, ::-1]), (opacity[:, ::-1], out[:, -pixels:])):
        top, slope = _slope(sides, max(round(0.4 * eyes), 4))
        np.minimum(part, np.clip(rows - (top + slope * depth) + 0.5, 0, 1), out=part)
    room.put(opacity, out)
    return out, room


def _slope(opacity: Floats, columns: int) -> tuple[float, float]:
    """The row at which the body begins in the first column of `opacity` (H, W), and by how much it falls per column
    outwards."""
    seen = opacity[:, :columns] > 0.5
    tops = np.where(seen.any(axis=0), seen.argmax(axis=0), len(opacity)).astype(np.float64)
    slope = (tops[0] - tops[-1]) / max(columns - 1, 1)
    least = SHOULDERS if tops[0] > 0 else 0.0  # what the upper border cuts, too, goes on straight
    return float(tops[0]), float(np.clip(slope, least, 2.0))


def _is_cut(line: Floats, unit: float) -> bool:
    return any(last - first >= LEAST_CUT * unit for first, last in _stretches(line))


def _stretches(line: Floats) -> list[tuple[int, int]]:
    """First and last but one places of the parts of a line (n,) that are opaque."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], (line > 0.5).astype(np.int8), [0]])))
    return [*zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True)]


def _cap(inwards: Floats, room: int, unit: float, height: float = 0.0, least: float = LEAST_CAP) -> Floats:
    """(n, room): opacity beyond the frame, outwards: half an ellipse over each stretch that is cut, flattened where the
    outline meets the frame at a slant.

    Args:
        inwards: (n, depth): opacity within, from the frame inwards.
    """
    line = inwards[:, 0]
    out = np.zeros((len(line), room), np.float32)
    away = np.arange(1, room + 1, dtype=np.float32)
    nearest, deepest = (max(round(depth * unit), 3) for depth in SLANT)
    for first, last in _stretches(line):
        if last - first < LEAST_CUT * unit:
            continue
        wide = last - first
        tall = min(max(height, wide * least), HIGHEST_CAP * wide, room - 3.0)
        places = (np.arange(len(line), dtype=np.float32) - first + 0.5) / wide
        share = np.where(places < 0.5, np.minimum(np.abs(places), 0.5), np.maximum(1 - np.abs(places - 1), 0.5))
        ellipse = 2 * tall * np.sqrt(share * (1 - share))
        begins, ends = np.min([_slants(inwards[:, :n] > 0.5, first, last) for n in (nearest, deepest)], axis=0)
        curve = wide * share * (1 - share) * (begins * (1 - share) + ends * share)
        # negative beside the stretch, so that rounded, too, it is zero at its ends: there is no step
        edge = np.where((places > 0) & (places < 1), 1, -1) * np.minimum(ellipse, curve)
        edge = cv2.GaussianBlur(edge[None].astype(np.float32), (0, 0), ROUNDED * wide)[0]
        edge -= wide * np.maximum(np.abs(places - 0.5) - 0.5, 0)
        soft = _softness(line, first, last, max(round(SOFTEST * unit), 2))
        out = np.maximum(out, np.clip((edge[:, None] - away[None]) / soft + 0.5, 0, 1))
    return out


def _softness(line: Floats, first: int, last: int, most: int) -> float:
    """Pixels, at least 1, over which a line (n,) changes at the ends of a stretch of it that is opaque; looked for up
    to `most` pixels on both sides of each end."""
    most = min(most, max((last - first) // 2, 1))
    parts = line[max(first - most, 0) : first + most], line[max(last - most, 0) : last + most]
    mixed = [np.count_nonzero((part > 0.25) & (part < 0.75)) for part in parts]  # half of a linear slope
    return float(np.clip(sum(mixed), 1, most))


def _slants(inwards: NDArray[np.bool_], first: int, last: int) -> tuple[float, float]:
    """How steeply the outline of what is seen (n, depth) meets the frame on both sides of a stretch that is cut: pixels
    towards the frame per pixel along it. What reaches the picture's corner meets it straight."""
    depth, deepest = inwards.shape[1], inwards[:, -1]
    before, after = deepest[: first + 1][::-1], deepest[last - 1 :]
    spread = (1 if part.all() else int(part.argmin()) for part in (before, after))
    begins, ends = (depth / max(wider - 1, 0.1) for wider in spread)
    return begins, ends
