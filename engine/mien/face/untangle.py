"""Mesh untangling in the plane: triangles that have turned over are pushed back to a small positive area.

For the hidden side of a turned head the landmarker guesses, often with the contour inside the face. Such a mesh folds
over, and the fold becomes visible as a doubled cheek when the head turns. Position-based projection of area constraints
(Mueller et al., Position Based Dynamics, 2007) over all triangles at once; outer landmarks move, eyes, nose and mouth
stay fixed.

Around a mouth it is the other way round: where wide open lips were read in the wrong order, or are closed, triangles
fold at the corners and below the lower lip. There all but the inner rims gives way, and outlines hardly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.topology import canonical_face

Array = NDArray[np.float64]

LEAST, LEAST_LIPS = 0.06, 0.15
"""Least area of a triangle relative to the canonical face, near the contour and around a moving mouth."""
LEAST_READ = 0.4
"""The same around the mouth of a portrait: of 1233 faces five in a hundred have less in one of these triangles."""
OUTER = 0.3
"""Distance from the contour, in eye distances, up to which triangles are watched; inside of it lids and lips shut to
slivers of their own right, and a nose hides a cheek by being nearer."""
GIVE = 0.25
"""Distance from the contour, in eye distances, up to which landmarks give way."""
LIPS, LIPS_GIVE = 0.16, 0.2
"""Distance from the lips, in eye distances, up to which triangles are watched and landmarks give way."""
CHIN = 2.0
"""How many times farther that is below the mouth."""
BEFORE, AFTER = np.array([2, 0, 1]), np.array([1, 2, 0])
"""The corners beside each one of a triangle."""
TURNED = np.array([-0.5, 0.5])[:, None, None]
"""Makes of an edge's x and y, exchanged, by how much the area grows as the corner across it moves."""
OUTLINE_GIVES = 0.02
"""How far the outlines of lips and face, which are read surely, give way in comparison with what lies between."""


@dataclass(frozen=True, slots=True, eq=False)
class _Constraints:
    corners: NDArray[np.int64]
    """(3, T): indices of the triangles' corners."""
    least: Array
    mobility: Array


def folded(points: Array, scale: float) -> NDArray[np.bool_]:
    """(T,): which triangles of landmarks (478, 2) have turned over or nearly so; `scale` is pixels per eye distance."""
    law = _constraints()
    return np.asarray(_areas(points.T.take(law.corners, axis=1)) < 0.5 * law.least * scale * scale)


def untangle(points: Array, scale: float, rounds: int = 200) -> Array:
    """Landmarks (478, 2) in pixels without folds, moved as little as that takes; at most `rounds` projections."""
    return _untangled(points, scale, rounds, _constraints())


def untangle_lips(points: Array, scale: float, least: float = LEAST_LIPS, rounds: int = 400) -> Array:
    """As `untangle`, but around the mouth, whose inner rims stay; `least` is relative to the canonical face."""
    law = _lip_constraints()
    return _untangled(points, scale, rounds, replace(law, least=law.least * (least / LEAST_LIPS)))


def folded_lips(points: Array, scale: float) -> NDArray[np.bool_]:
    """As `folded`, around the mouth."""
    law = _lip_constraints()
    return np.asarray(_areas(points.T.take(law.corners, axis=1)) < 0.5 * law.least * scale * scale)


def _untangled(points: Array, scale: float, rounds: int, law: _Constraints) -> Array:
    least = law.least * scale * scale
    plane = np.ascontiguousarray(points.T)
    for _ in range(rounds):
        corners = plane.take(law.corners, axis=1)
        missing = least - _areas(corners)
        bad = np.flatnonzero(missing > 0)
        if not len(bad) or missing.max() < 1e-5 * scale * scale:
            break
        _project(plane, law.corners.take(bad, axis=1), corners.take(bad, axis=2), missing.take(bad), law.mobility)
    return np.ascontiguousarray(plane.T)


def _project(plane: Array, indices: NDArray[np.int64], corners: Array, missing: Array, mobility: Array) -> None:
    """One step: triangles with `indices` (3, n) and `corners` (2, 3, n) ask for `missing` area; asks are averaged."""
    edges = corners.take(BEFORE, axis=1) - corners.take(AFTER, axis=1)
    slopes = edges[::-1] * TURNED
    give = mobility.take(indices)
    squares = slopes * slopes
    total = np.add.reduce(give * (squares[0] + squares[1]), axis=0) + 1e-12
    push = slopes * (give * (missing / total))
    flat, count = indices.ravel(), plane.shape[1]
    asked = np.maximum(np.bincount(flat, minlength=count), 1)
    for row, way in zip(plane, push, strict=True):
        row += np.bincount(flat, way.ravel(), count) / asked


def _areas(corners: Array) -> Array:
    """(n,) signed areas of triangles with corners (2, 3, n)."""
    across, down = corners[:, 1:] - corners[:, :1]
    return np.asarray((across[0] * down[1] - down[0] * across[1]) / 2)


@lru_cache(maxsize=1)
def _constraints() -> _Constraints:
    plane, corners, areas = _upright()
    contour = topology.distances(plane, topology.OVAL)
    near = contour[corners].min(axis=0) < OUTER
    mobility = 0.02 + np.exp(-((contour / GIVE) ** 2))
    return _Constraints(np.ascontiguousarray(corners[:, near]), LEAST * areas[near], mobility)


@lru_cache(maxsize=1)
def _lip_constraints() -> _Constraints:
    plane, corners, areas = _upright()
    lips = topology.distances(plane, (*topology.OUTER_LIPS, *topology.INNER_LIPS))
    lips[plane[:, 1] > plane[topology.OUTER_LIPS[0], 1]] /= CHIN
    near = lips[corners].min(axis=0) < LIPS
    mobility = np.exp(-((lips / LIPS_GIVE) ** 2))
    mobility[[*topology.OUTER_LIPS, *topology.OVAL]] *= OUTLINE_GIVES
    mobility[list(topology.INNER_LIPS)] = 0.0
    return _Constraints(np.ascontiguousarray(corners[:, near]), LEAST_LIPS * areas[near], mobility)


def _upright() -> tuple[Array, NDArray[np.int64], Array]:
    """Points (478, 2) of the canonical face, corners (3, T) of its triangles and their areas, slivers left out."""
    face = canonical_face()
    plane = face.points[:, :2]
    corners = np.ascontiguousarray(face.triangles.T.astype(np.int64))
    areas = _areas(plane.T.take(corners, axis=1))
    upright = areas > 1e-4
    return plane, corners[:, upright], areas[upright]
