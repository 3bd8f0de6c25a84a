"""Relief that one picture can bear.

Towards its contour a face curves away: the picture shows slivers a few pixels wide, with the edge of the hair somewhere
in them, and a landmarker gives them all of the head's depth. Turned by that depth they would become a broad band for
which there is no skin, whose edge is stretched triangle by triangle into teeth of a saw; or, turned the other way, fold
over. So near the contour depth may rise only so steeply; the outer landmark gives way. In the portrait's own pose
nothing changes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.canonical import canonical_face

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

STEEPEST = 2.0
"""Depth per way in the picture: turned by 20 degrees, such an edge grows by two thirds or shrinks to a quarter."""
REACH = 0.35
"""How far from the contour relief is held, in eye distances."""
ROUNDS = 150


def bearable(landmarks: Array) -> Array:
    """`landmarks` (478, 3) in a portrait's picture with depth near the contour held to `STEEPEST`."""
    ends, give = _edges()
    way = landmarks[ends[1], :2] - landmarks[ends[0], :2]
    most = STEEPEST * np.hypot(way[:, 0], way[:, 1])
    asked = np.sqrt(np.maximum(np.bincount(ends.ravel(), minlength=topology.COUNT), 1))
    depth = landmarks[:, 2].copy()
    for _ in range(ROUNDS):
        rise = depth[ends[1]] - depth[ends[0]]
        excess = np.sign(rise) * np.maximum(np.abs(rise) - most, 0.0)
        if not excess.any():
            break
        moves = np.concatenate([excess * give[0], -excess * give[1]])
        depth += np.bincount(ends.ravel(), moves, topology.COUNT) / asked
    return np.column_stack([landmarks[:, :2], depth])


@lru_cache(maxsize=1)
def _edges() -> tuple[Indices, Array]:
    """Ends (2, E) of the mesh's edges near the contour, and the share (2, E) of a correction that each takes."""
    face = canonical_face()
    plane = face.points[:, :2]
    contour = np.linalg.norm(plane[:, None] - plane[None, list(topology.OVAL)], axis=2).min(axis=1)
    pairs = np.concatenate([face.triangles[:, (a, b)] for a, b in ((0, 1), (1, 2), (2, 0))])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[(contour[pairs] < REACH).all(axis=1)]
    ends = np.ascontiguousarray(pairs.T.astype(np.int64))
    mobility = np.exp(-((contour[ends] / (REACH / 3)) ** 2)) + 1e-3
    return ends, mobility / mobility.sum(axis=0)
