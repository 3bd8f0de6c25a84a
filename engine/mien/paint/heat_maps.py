"""Heat maps of the 68 points of a face: one channel each, a Gaussian over seven pixels of a picture of 64 x 64."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.points68 import MESH

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

REACH: Final = 3.5 / 64
"""Share of the side within which a point shows in each direction: seven pixels of 64."""
SPREAD: Final = REACH / 3
"""Standard deviation as a share of the side: three of them reach to the edge."""
_POINTS: Final = np.array(MESH)


def points_of(landmarks: Array) -> Array:
    """(68, 2): the points among landmarks (478, 2 or 3)."""
    return np.asarray(landmarks[_POINTS, :2])


def heat_maps(points: Array, into: Floats) -> None:
    """Draw points (68, 2), in pixels of a square picture, into maps (68, S, S): 1 at the point, 0 beyond its reach.

    A Gaussian on a plane is the product of one across and one down, which is how it is computed.
    """
    side = into.shape[-1]
    away = np.arange(side, dtype=np.float32) - points.T.astype(np.float32)[:, :, None]
    lines = np.exp(-0.5 * np.square(away / np.float32(SPREAD * side)))
    lines[np.abs(away) > REACH * side] = 0
    np.multiply(lines[1][:, :, None], lines[0][:, None, :], out=into)
