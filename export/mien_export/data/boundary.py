"""Boundary resampling: another person's face contour around the same features (thesis, 3.2.4 and eq. 3.8).

The reference is warped to the new contour, I_pose = W(I_ref): so one photograph is reference and pose guide at once,
and the appearance encoder cannot read the shape off it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.topology import canonical_face
from mien.face.untangle import folded, untangle
from mien.portrait.portrait import Portrait
from mien.reenact.target import Target

Array = NDArray[np.float64]

CONTOUR: Final = np.array(topology.OVAL)
INNER: Final = np.array(
    sorted(
        {
            *(*topology.LEFT_BROW, *topology.RIGHT_BROW, *topology.LEFT_EYE, *topology.RIGHT_EYE),
            *(*topology.NOSE, *topology.NOSE_BRIDGE, *topology.OUTER_LIPS, *topology.INNER_LIPS),
        }
    )
)
"""Landmarks of the inner parts, which stay."""


def resampled(portrait: Portrait, other: Array) -> Target:
    """The face of `portrait` with the contour of `other`, a person's un-posed shape (478, 3), in the portrait's pose.

    Skin between the contour and the inner parts follows smoothly. Where a narrow contour would fold the mesh, it gives
    way.
    """
    way = other[CONTOUR] - portrait.shape[CONTOUR]
    landmarks = portrait.pose.apply(portrait.shape + _shares() @ way)
    scale = portrait.pose.scale
    if folded(landmarks[:, :2], scale).any():
        landmarks = np.concatenate([untangle(landmarks[:, :2], scale), landmarks[:, 2:]], axis=1)
    return Target(portrait.pose.undo(landmarks), portrait.pose, landmarks)


@lru_cache(maxsize=1)
def _shares() -> Array:
    """(478, 36): how far each landmark goes with each point of the contour; rows sum to 0..1.

    Harmonic on the canonical mesh, which is its own mean over neighbours: 1 on the contour, 0 on the inner parts.
    """
    joined = np.zeros((topology.SKIN_COUNT, topology.SKIN_COUNT))
    for a, b in combinations(range(3), 2):
        ends = canonical_face().triangles[:, (a, b)]
        joined[ends[:, 0], ends[:, 1]] = joined[ends[:, 1], ends[:, 0]] = 1.0
    free = np.setdiff1d(np.arange(topology.SKIN_COUNT), np.concatenate([CONTOUR, INNER]))
    laplacian = np.diag(joined.sum(axis=1)) - joined
    out = np.zeros((topology.COUNT, len(CONTOUR)))
    out[CONTOUR] = np.eye(len(CONTOUR))
    out[free] = np.linalg.solve(laplacian[np.ix_(free, free)], joined[np.ix_(free, CONTOUR)])
    out.flags.writeable = False
    return out
