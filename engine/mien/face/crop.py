"""The generator's crop: upright, of one size and place for every face, bound to the head's pose, not its expression.

Unlike a box around landmarks it does not breathe when the mouth opens, and it leaves room for a chin that falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity, angles_of

Array = NDArray[np.float64]

SIDE: Final = 256
UNIT: Final = 78.0
"""Pixels of the crop that the canonical unit, the distance of the outer eye corners, takes where the side is 256."""
ANCHOR: Final = (0.0, 0.3, -0.2)
"""The canonical point that holds the crop: on the nose, where turning moves it least against the face's middle."""
PLACE: Final = (128.0, 121.0)
"""Where the anchor lies in the crop where the side is 256."""


@dataclass(frozen=True, slots=True)
class View:
    """The part of the crop that a generator sees and paints, in whole pixels of the crop."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, side: int) -> View:
        """All of a crop of this side."""
        return cls(0, 0, side, side)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns of the crop."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def matrix(self, crop: Array) -> Array:
        """(2, 3): the map to pixels of the view, from the one (2, 3) to pixels of the crop."""
        return np.column_stack([crop[:, :2], crop[:, 2] - (self.x, self.y)])


def crop_matrix(pose: Similarity, side: int = SIDE) -> Array:
    """(2, 3): from pixels of the picture to pixels of a crop of this side, for a head with this pose."""
    share = side / SIDE
    zoom = UNIT * share / pose.scale
    roll = math.radians(angles_of(pose.rotation).roll)
    cos, sin = zoom * math.cos(roll), zoom * math.sin(roll)
    x, y = pose.apply(np.array(ANCHOR))[:2].tolist()
    across, down = ((place + 0.5) * share - 0.5 for place in PLACE)
    return np.array([[cos, sin, across - cos * x - sin * y], [-sin, cos, down + sin * x - cos * y]])


def inverse(matrix: Array) -> Array:
    """(2, 3): the map back; the matrix must have one."""
    (a, b, _), (c, d, _) = matrix.tolist()
    back = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
    return np.column_stack([back, -back @ matrix[:, 2]])


def placed(points: Array, matrix: Array) -> Array:
    """Points (N, 2 or 3) under a map (2, 3): x and y mapped, z scaled alike."""
    plane = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    if points.shape[1] == 2:
        return np.asarray(plane)
    (a, b, _), (c, d, _) = matrix.tolist()
    out = np.empty((len(points), 3))
    out[:, :2] = plane
    np.multiply(points[:, 2], math.sqrt(abs(a * d - b * c)), out=out[:, 2])
    return out
