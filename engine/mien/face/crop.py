"""The generator's crop: upright, of one size and place for every face, bound to the head's pose, not its expression.

Unlike a box around landmarks it does not breathe when the mouth opens, and it leaves room for a chin that falls.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import angles_of
from mien.face.procrustes import Similarity

Array = NDArray[np.float64]

SIDE: Final = 256
UNIT: Final = 78.0
"""Pixels of the crop that the canonical unit, the distance of the outer eye corners, takes where the side is 256."""
ANCHOR: Final = (0.0, 0.3, -0.2)
"""The canonical point that holds the crop: on the nose, where turning moves it least against the face's middle."""
PLACE: Final = (128.0, 121.0)
"""Where the anchor lies in the crop where the side is 256."""


def crop_matrix(pose: Similarity, side: int = SIDE) -> Array:
    """(2, 3): from pixels of the picture to pixels of a crop of this side, for a head with this pose."""
    share = side / SIDE
    zoom = UNIT * share / pose.scale
    roll = np.radians(angles_of(pose.rotation).roll)
    turn = zoom * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    anchor = pose.apply(np.array([ANCHOR]))[0, :2]
    place = (np.array(PLACE) + 0.5) * share - 0.5
    return np.column_stack([turn, place - turn @ anchor])


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
    return np.column_stack([plane, points[:, 2] * np.sqrt(abs(np.linalg.det(matrix[:, :2])))])
