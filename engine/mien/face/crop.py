"""The networks' crop: upright, of one size and position for every face, bound to the head's pose, not its expression.

Unlike a bounding box of landmarks it does not change size when the mouth opens, and it has room for a dropping jaw.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from mien.face.pose import Similarity, angles_of
from mien.plane import Affine, to_grid

SIDE: Final = 256
UNIT: Final = 78.0
"""Pixels of the crop that the canonical unit, the distance of the outer eye corners, takes where the side is 256."""
ANCHOR: Final = (0.0, 0.3, -0.2)
"""The canonical point that holds the crop: on the nose, where turning moves it least against the face's middle."""
PLACE: Final = (128.0, 121.0)
"""Where the anchor lies in the crop where the side is 256."""


def crop_matrix(pose: Similarity, side: int = SIDE) -> Affine:
    """From pixels of the picture to pixels of a crop of this side, for a head with this pose."""
    return framed(pose, side, UNIT, PLACE)


def framed(pose: Similarity, side: int, unit: float, place: tuple[float, float]) -> Affine:
    """From pixels of the picture to a square of this side in which a head with this pose is upright.

    `unit` and `place` stand for `UNIT` and `PLACE`.
    """
    share = side / SIDE
    zoom = unit * share / pose.scale
    roll = math.radians(angles_of(pose.rotation).roll)
    cos, sin = zoom * math.cos(roll), zoom * math.sin(roll)
    x, y = pose.apply(np.array(ANCHOR))[:2].tolist()
    across, down = (to_grid(along, share) for along in place)
    return np.array([[cos, sin, across - cos * x - sin * y], [-sin, cos, down + sin * x - cos * y]])
