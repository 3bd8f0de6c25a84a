"""Unfolding a mesh in the plane: triangles that have turned over are pushed back to a sliver.

A landmarker guesses what a turned head hides, and often puts the hidden contour inside the face: in the picture such a
mesh folds, and the fold shows as a doubled cheek once the head turns. Position-based projection of area constraints
(Mueller et al., Position Based Dynamics, 2007), all triangles at once; outer landmarks give way, eyes, nose and mouth stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.canonical import canonical_face

Array = NDArray[np.float64]

LEAST = 0.06
"""Area that a triangle keeps, as a share of what it has in the canonical face."""
GIVE = 0.25
"""Distance from the contour, in eye distances, up to which landmarks give way."""


@dataclass(frozen=True, slots=True, eq=False)
class _Constraints:
    triangles: NDArray[np.int64]
    least: Array
    mobility: Array


def folded(points: Array, scale: float) -> NDArray[np.bool_]:
    """(T,): which triangles of landmarks (478, 2) have turned over or nearly so; `scale` is pixels per eye distance."""
    law = _constraints()
    return np.asarray(_areas(points, law.triangles) < 0.5 * law.least * scale * scale)


def untangle(points: Array, scale: float, rounds: int = 200) -> Array:
    """Landmarks (478, 2) in pixels without folds, moved as little as that takes; at most `rounds` projections."""
    law = _constraints()
    least = law.least * scale * scale
    out = points.copy()
    for _ in range(rounds):
        missing = least - _areas(out, law.triangles)
        bad = np.flatnonzero(missing > 0)
        if not len(bad) or missing.max() < 1e-3 * scale:
            break
        _project(out, law.triangles[bad], missing[bad], law.mobility)
    return out


def _project(points: Array, triangles: NDArray[np.int64], missing: Array, mobility: Array) -> None:
    """One step: each of `triangles` asks its corners to restore `missing` area; askings are averaged."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    slopes = np.stack([_quarter(c - b), _quarter(a - c), _quarter(b - a)], axis=1) / 2
    give = mobility[triangles]
    total = (give * (slopes**2).sum(axis=2)).sum(axis=1) + 1e-12
    push = slopes * (give * (missing / total)[:, None])[..., None]
    moves, asked = np.zeros_like(points), np.zeros(len(points))
    np.add.at(moves, triangles, push)
    np.add.at(asked, triangles, 1.0)
    points += moves / np.maximum(asked, 1.0)[:, None]


def _quarter(edge: Array) -> Array:
    """Edges (N, 2) turned by a quarter, so that moving the opposite corner along it gains area."""
    return np.stack([-edge[:, 1], edge[:, 0]], axis=1)


def _areas(points: Array, triangles: NDArray[np.int64]) -> Array:
    a, b, c = (points[triangles[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    return np.asarray((ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2)


@lru_cache(maxsize=1)
def _constraints() -> _Constraints:
    face = canonical_face()
    plane = face.points[:, :2]
    triangles = face.triangles.astype(np.int64)
    areas = _areas(plane, triangles)
    upright = areas > 1e-4
    contour = np.linalg.norm(plane[:, None] - plane[None, list(topology.OVAL)], axis=2).min(axis=1)
    mobility = 0.02 + np.exp(-((contour / GIVE) ** 2))
    return _Constraints(triangles[upright], LEAST * areas[upright], mobility)
