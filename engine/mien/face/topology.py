"""Indices of the 478 landmarks by feature, and the canonical face: average shape and mesh.

Indices are MediaPipe FaceMesh's; left and right are the picture's. Outlines run around the feature without repeating
their first point. The canonical face is made by `export/mien_export/canonical.py` from un-posed landmarks of
closed-mouth faces, averaged and made symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

COUNT: Final = 478
SKIN_COUNT: Final = 468
"""Landmarks on skin; the ten behind them are the irises."""

LEFT_EYE: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE: Final = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
"""Both from the outer corner over the upper lid to the inner corner and back below; upper[i] faces lower[i]."""
EYES: Final = (LEFT_EYE, RIGHT_EYE)
LEFT_IRIS: Final = (468, 469, 470, 471, 472)
RIGHT_IRIS: Final = (473, 474, 475, 476, 477)
"""Centre first, then four points on the rim."""
IRISES: Final = (LEFT_IRIS, RIGHT_IRIS)

INNER_LIPS: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
OUTER_LIPS: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
"""Both from the left corner over the upper lip to the right corner and back below."""
UPPER_LIP: Final = OUTER_LIPS[:11] + INNER_LIPS[10::-1]
LOWER_LIP: Final = (OUTER_LIPS[0], *OUTER_LIPS[:9:-1], *INNER_LIPS[10:], INNER_LIPS[0])

LEFT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)

NOSE: Final = (48, 64, 98, 97, 2, 326, 327, 294, 278, 360, 363, 281, 5, 51, 134, 131)
NOSE_BRIDGE: Final = (168, 417, 465, 351, 419, 248, 281, 5, 51, 3, 196, 122, 245, 193)

OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face contour, from the middle of the forehead to the picture's right and around."""

RIGID: Final = (
    *(33, 133, 362, 263),
    *(168, 6, 197, 195, 5, 4, 1),
    *(10, 151, 9, 109, 338, 67, 297),
    *(127, 356, 162, 389, 21, 251),
)
"""Points that expression moves least: eye corners, nose bridge and tip, forehead, temples."""


PARTS: Final = ("face", "brows", "eyes", "gaze", "nose", "upper_lip", "lower_lip", "teeth", "nose_bridge")
"""Names of the channels, in their order; `teeth` is all of the inner mouth, `gaze` what the lids show of the irises."""


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


def distances(points: NDArray[np.float64], anchors: tuple[int, ...]) -> NDArray[np.float64]:
    """(478,): of landmarks (478, 2 or 3) in the plane, to the nearest of those with the indices `anchors`."""
    plane = points[:, :2]
    return np.asarray(np.linalg.norm(plane[:, None] - plane[None, list(anchors)], axis=2).min(axis=1))
