"""Coordinates of a face in its picture: the unit is the distance from between the eyes to the chin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

CHIN: Final = 152
TEMPLES: Final = (234, 454)
_SUBPIXEL: Final = 4
"""Bits of a drawn point's fraction."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """Where each pixel lies in a face's own coordinates."""

    points: Array
    """(478, 2): landmarks in pixels."""
    origin: Array
    """(2,): between the eyes, in pixels."""
    right: Array
    """(2,): unit vector towards the picture's right."""
    down: Array
    """(2,): unit vector towards the chin."""
    unit: float
    """Pixels from the origin to the chin."""
    u: Floats
    """(H, W): units along `right` from the origin."""
    v: Floats
    """(H, W): units along `down` from the origin."""
    outside: Floats
    """(H, W): units from the outline of the face, negative within."""

    @classmethod
    def of(cls, landmarks: Array, shape: tuple[int, int]) -> FaceFrame:
        """For landmarks (478, 2 or 3) in pixels of a picture of `shape` (H, W)."""
        points = np.asarray(landmarks[:, :2], dtype=np.float64)
        left, right = (points[list(eye)].mean(axis=0) for eye in topology.EYES)
        origin = (left + right) / 2
        down = points[CHIN] - origin
        unit = max(float(np.hypot(*down)), 1.0)
        down = down / unit
        across = np.array([down[1], -down[0]])
        across = across if across @ (right - left) >= 0 else -across
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        x, y = x - np.float32(origin[0]), y - np.float32(origin[1])
        u, v = ((x * np.float32(axis[0]) + y * np.float32(axis[1])) / np.float32(unit) for axis in (across, down))
        oval = filled(points[list(topology.OVAL)], shape)
        return cls(points, origin, across, down, unit, u, v, _signed_distance(oval) / np.float32(unit))

    @property
    def half_width(self) -> float:
        """Half of the distance between the temples, in units."""
        a, b = self.points[list(TEMPLES)]
        return 0.5 * float(np.hypot(*(a - b))) / self.unit

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        height, width = self.u.shape
        return height, width

    def part(self, outline: Sequence[int], grow: int = 0) -> Bits:
        """(H, W): pixels within an outline of landmarks, and `grow` pixels around it."""
        return filled(self.points[list(outline)], self.shape, grow)

    def place(self, u: float, v: float) -> Array:
        """(2,) in pixels."""
        return np.asarray(self.origin + self.unit * (u * self.right + v * self.down))


def filled(outline: Array, shape: tuple[int, int], grow: int = 0) -> Bits:
    """(H, W): pixels of which half or more lies within `outline` (N, 2), and `grow` pixels around them."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 2**_SUBPIXEL).astype(np.int32)], 255, cv2.LINE_AA, _SUBPIXEL)
    inside = mask > 127
    return _dilated(inside, grow) if grow else inside


def _dilated(mask: Bits, pixels: int) -> Bits:
    side = 2 * pixels + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _signed_distance(inside: Bits) -> Floats:
    own = inside.astype(np.uint8)
    away, deep = (cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in (1 - own, own))
    return np.asarray(away - deep, dtype=np.float32)
