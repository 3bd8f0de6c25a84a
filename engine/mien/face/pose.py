"""Head pose: Procrustes alignment of point sets, Euler angles, and the fit to landmarks.

Orthogonal Procrustes with scale (Umeyama, PAMI 1991).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.topology import canonical_face

Array = NDArray[np.float64]
RIGID = np.array(topology.RIGID)


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """The map x -> scale * rotation @ x + translation, in the plane or in space."""

    rotation: Array
    """(D, D), determinant +1."""
    translation: Array
    """(D,), in target units."""
    scale: float
    """Target units per source unit, positive."""

    def apply(self, points: Array) -> Array:
        """Map points of shape (N, D)."""
        return self.scale * (points @ self.rotation.T) + self.translation

    def undo(self, points: Array) -> Array:
        """Map points of shape (N, D) back."""
        return ((points - self.translation) @ self.rotation) / self.scale


def fit_similarity(source: Array, target: Array, weights: Array | None = None) -> Similarity:
    """The similarity that brings `source` (N, D) closest to `target` (N, D) in the weighted least-squares sense.

    Raises:
        ValueError: fewer than D points, or points without extent.
    """
    if len(source) < source.shape[1]:
        raise ValueError(f"a similarity in {source.shape[1]} dimensions needs as many points, got {len(source)}")
    share = np.full(len(source), 1.0 / len(source)) if weights is None else weights / weights.sum()
    source_mean, target_mean = share @ source, share @ target
    centred, goal = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(goal.T @ (centred * share[:, None]))
    signs = np.ones(source.shape[1])
    signs[-1] = np.sign(np.linalg.det(u @ vt))
    extent = float(share @ (centred**2).sum(axis=1))
    if extent <= 1e-12:
        raise ValueError("a similarity needs points that do not coincide")
    rotation = (u * signs) @ vt
    scale = float(singular @ signs) / extent
    return Similarity(rotation, target_mean - scale * rotation @ source_mean, scale)


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
