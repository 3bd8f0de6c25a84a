"""68 points of a face (the Multi-PIE scheme): un-posed in closed form, and the twelve distances of action units.

The distances are like those of FACS: in units of the distance of the outer eye corners, positive is more of the unit.
They count from the same person's calm face, and are read without any model of expressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.points68 import MESH
from mien.face.pose import angles_of, fit_pose
from mien.face.topology import canonical_face

Array = NDArray[np.float64]

RIGID: Final = (27, 28, 29, 30, 33, 36, 39, 42, 45)
"""Points that expression moves least: nose bridge, tip and base, eye corners."""
UNITS: Final = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""Action units that the thesis compares."""
_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A face as one landmarker reads it."""

    units: Array
    """(12,): distances of `UNITS`."""
    angles: Array
    """(3,): yaw, pitch and roll in degrees."""


def read_points(points: Array) -> Reading:
    """The reading of points (68, 2) in pixels."""
    rotation, scale, middle = pose_of(points)
    depth = _template()[:, 2:] * rotation[None, :2, 2]
    shape = ((points - middle) / scale - depth) @ np.linalg.inv(rotation[:2, :2]).T
    angles = angles_of(rotation)
    return Reading(distances(shape), np.array([angles.yaw, angles.pitch, angles.roll]))


def read_mesh(landmarks: Array) -> Reading:
    """The reading of landmarks (478, 3) in pixels, un-posed by the engine's own fit in space."""
    pose = fit_pose(landmarks)
    angles = angles_of(pose.rotation)
    shape = pose.undo(landmarks)[list(MESH), :2]
    return Reading(distances(shape), np.array([angles.yaw, angles.pitch, angles.roll]))


def pose_of(points: Array) -> tuple[Array, float, Array]:
    """Rotation (3, 3), scale and translation (2,) by which scaled orthography brings the canonical face nearest to
    points (68, 2): least squares over `RIGID`, made orthonormal."""
    own, seen = _template()[list(RIGID)], points[list(RIGID)]
    source, goal = own - own.mean(axis=0), seen - seen.mean(axis=0)
    rows, *_ = np.linalg.lstsq(source, goal, rcond=None)
    u, singular, vt = np.linalg.svd(rows.T, full_matrices=False)
    first, second = u @ vt
    rotation, scale = np.stack([first, second, np.cross(first, second)]), float(singular.mean())
    return rotation, scale, seen.mean(axis=0) - scale * (own.mean(axis=0) @ rotation.T)[:2]


def distances(shape: Array) -> Array:
    """(12,): the distances of `UNITS` in an un-posed shape (68, 2), y down, in eye distances."""
    x, y = shape.T
    inner, outer = y[[39, 42]].mean(), y[[36, 45]].mean()
    corners, nose, width = y[[48, 54]].mean(), y[31:36].mean(), x[54] - x[48]
    inner_brows, brows = y[[21, 22]].mean(), y[20:24].mean()
    return np.array(
        [
            inner - inner_brows + (inner - y[[20, 23]].mean()) / 2,
            outer - y[[17, 18, 25, 26]].mean(),
            brows - inner - 0.8 * (x[22] - x[21]),
            (y[[41, 40, 47, 46]] - y[[37, 38, 43, 44]]).mean(),
            (inner + outer) / 2 - y[[40, 41, 46, 47]].mean(),
            inner - y[[31, 35]].mean(),
            y[33] - corners + width / 2,
            corners - y[[51, 62]].mean(),
            -(y[8] - y[57]) - 0.3 * (y[57] - y[33]),
            width - (nose - corners),
            (y[[67, 66, 65]] - y[[61, 62, 63]]).mean(),
            y[8] - y[33],
        ]
    )


@lru_cache(maxsize=1)
def _template() -> Array:
    """(68, 3): the canonical face's."""
    return np.ascontiguousarray(canonical_face().points[list(MESH)])


def unit_correlations(guides: Array, answers: Array) -> Array:
    """(12,): Pearson's correlation of each unit over the guides, for intensities (N, 12) of both; rows with NaN are
    left out. 0 where an answer never changes, NaN where the guides do not."""
    both = np.isfinite(guides).all(axis=1) & np.isfinite(answers).all(axis=1)
    if both.sum() < 3:
        return np.full(len(UNITS), np.nan)
    given, got = (values[both] - values[both].mean(axis=0) for values in (guides, answers))
    under = np.sqrt((given**2).sum(axis=0) * (got**2).sum(axis=0))
    found = (given * got).sum(axis=0) / np.where(under > _LEAST, under, 1.0)
    return np.where((given**2).sum(axis=0) > _LEAST, found * (under > _LEAST), np.nan)
