"""Where a head is and how it is turned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.canonical import canonical_face
from mien.face.procrustes import Similarity, fit_similarity

Array = NDArray[np.float64]
RIGID = np.array(topology.RIGID)


@dataclass(frozen=True, slots=True)
class Angles:
    """Head angles in degrees; zero looks at the viewer."""

    yaw: float
    """Positive turns the nose to the picture's right."""
    pitch: float
    """Positive turns the nose up."""
    roll: float
    """Positive turns the head clockwise as seen in the picture."""


def rotation_of(angles: Angles) -> Array:
    """The rotation Rz(roll) Ry(yaw) Rx(pitch), (3, 3), in picture axes (x right, y down, z away)."""
    (cy, sy), (cp, sp), (cr, sr) = (
        (math.cos(a), math.sin(a)) for a in map(math.radians, (-angles.yaw, -angles.pitch, angles.roll))
    )
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return np.asarray(about_z @ about_y @ about_x)


def angles_of(rotation: Array) -> Angles:
    """The inverse of `rotation_of` for a (3, 3) rotation with |yaw| below 90 degrees."""
    (x, _, _), (y, _, _), (z, across, along) = rotation.tolist()
    yaw, pitch, roll = math.asin(min(max(z, -1.0), 1.0)), -math.atan2(across, along), math.atan2(y, x)
    return Angles(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


@lru_cache(maxsize=1)
def _rigid_template() -> Array:
    return np.ascontiguousarray(canonical_face().points[RIGID])


def fit_pose(landmarks: Array, template: Array | None = None) -> Similarity:
    """Head pose of `landmarks` (478, 3), in pixels: the map from the canonical frame to the picture.

    `template` (478, 3) is the person's own un-posed shape where it is known; the canonical face otherwise. Procrustes
    over the points that expression moves least.
    """
    source = _rigid_template() if template is None else template[RIGID]
    return fit_similarity(source, landmarks[RIGID])
