"""Where a face is looked for: a turned square of a picture, by the rules of MediaPipe's face mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from mien.face.topology import LEFT_EYE, RIGHT_EYE

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

ROOM: Final = 1.5
"""Side of the square, relative to the longer side of what is in it."""
SAME: Final = 0.5
"""Intersection over union from which on two squares show one face."""


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A square, in pixels of the picture; a pixel's own place is its middle."""

    x: float
    y: float
    """Of its middle."""
    side: float
    angle: float = 0.0
    """Radians by which it is turned clockwise."""

    @classmethod
    def whole(cls, width: int, height: int) -> Self:
        """The smallest one around a picture, as a face detector sees it."""
        return cls(width / 2, height / 2, max(width, height))

    @classmethod
    def around(cls, low: tuple[float, float], high: tuple[float, float], left: Array, right: Array) -> Self:
        """Around a box with room, turned so that two points (x, y) lie side by side in it."""
        side = ROOM * max(high[0] - low[0], high[1] - low[1])
        angle = math.atan2(right[1] - left[1], right[0] - left[0])
        return cls((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, side, angle)

    @classmethod
    def of_landmarks(cls, landmarks: Array) -> Self:
        """Around a face whose landmarks (478, 3) are known, for the next frame."""
        low, high = landmarks.min(axis=0).tolist(), landmarks.max(axis=0).tolist()
        return cls.around((low[0], low[1]), (high[0], high[1]), landmarks[LEFT_EYE[0]], landmarks[RIGHT_EYE[0]])

    def matrix(self, out: Floats, size: int) -> Floats:
        """Fill `out` (2, 3): from pixels of a crop to those of the picture; the crop's corners are at 0 and `size`."""
        step = self.side / size
        cosine, sine = math.cos(self.angle) * step, math.sin(self.angle) * step
        half = size / 2
        out[0] = cosine, -sine, self.x - half * (cosine - sine)
        out[1] = sine, cosine, self.y - half * (sine + cosine)
        return out

    def from_crop(self, points: Floats, size: int) -> Array:
        """Points (N, 3) of a crop in pixels of the picture; z is scaled as x."""
        step = self.side / size
        cosine, sine = math.cos(self.angle) * step, math.sin(self.angle) * step
        turn = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, step]])
        half = size / 2
        shift = self.x - half * (cosine - sine), self.y - half * (sine + cosine), 0.0
        return np.asarray(points @ turn + shift)

    def overlap(self, other: FaceRegion) -> float:
        """Intersection over union, as if neither was turned."""
        reach = (self.side + other.side) / 2
        width, height = (
            min(max(reach - abs(a - b), 0.0), self.side, other.side) for a, b in ((self.x, other.x), (self.y, other.y))
        )
        shared = width * height
        return shared / max(self.side**2 + other.side**2 - shared, 1e-12)


def distinct(regions: list[FaceRegion]) -> list[FaceRegion]:
    """Those of different faces; of two that show one face the later one is kept."""
    kept: list[FaceRegion] = []
    for region in regions:
        kept = [other for other in kept if region.overlap(other) <= SAME] + [region]
    return kept
