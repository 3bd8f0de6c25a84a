"""The canonical face: the shape that every pose is measured on, and the mesh that all faces share.

Made by `export/mien_export/canonical.py` from un-posed landmarks of closed-mouth faces, averaged and made symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """Constant data; the arrays are read-only."""

    points: NDArray[np.float64]
    """(478, 3): x to the picture's right, y down, z away from the viewer; the unit is the distance of the outer eye
    corners, the origin lies between the temples at eye height, about where a head turns."""
    triangles: NDArray[np.int32]
    """(T, 3): Delaunay in the face's plane, over skin landmarks, with holes for the eyes and the inner mouth."""
    mirror: NDArray[np.int32]
    """(478,): index of each landmark's mirror image."""


@lru_cache(maxsize=1)
def canonical_face() -> CanonicalFace:
    """The packaged canonical face."""
    with resources.files("mien.face").joinpath("canonical.npz").open("rb") as file, np.load(file) as data:
        points, triangles, mirror = data["points"].astype(np.float64), data["triangles"], data["mirror"]
    for array in (points, triangles, mirror):
        array.flags.writeable = False
    return CanonicalFace(points, triangles, mirror)
