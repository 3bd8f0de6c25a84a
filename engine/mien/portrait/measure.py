"""A face in a picture measured: checked, unfolded, its depth regularised; its person cut out; a `Portrait` made of all.

Depth regularisation: towards its contour a face curves away: the picture shows slivers a few pixels wide, with the edge
of the hair somewhere in them, and a landmarker gives them all of the head's depth. Turned by that depth they would
become a broad band for which there is no skin, whose edge is stretched triangle by triangle into a sawtooth; or, turned
the other way, fold over. So near the contour depth may rise only so steeply; the outer landmark gives way. In the
portrait's own pose nothing changes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.contacts import close_lips, lips_touching
from mien.face.face import eye_distance
from mien.face.pose import angles_of, fit_pose
from mien.face.topology import canonical_face
from mien.face.untangle import untangle
from mien.portrait.layers import fill, matte_of, one_person
from mien.portrait.portrait import Portrait

Array = NDArray[np.float64]

SMALLEST_EYES = 16.0
"""Pixels between the outer eye corners below which a face cannot be animated."""
TURNED = 50.0
"""Degrees of yaw or pitch beyond which half of the face is hidden."""
Indices = NDArray[np.int64]
STEEPEST = 2.0
"""Depth per way in the picture: turned by 20 degrees, such an edge grows by two thirds or shrinks to a quarter."""
REACH = 0.35
"""How far from the contour relief is held, in eye distances."""
ROUNDS = 150


def prepare_portrait(pixels: NDArray[np.uint8], landmarks: Array, person: NDArray[np.float32] | None) -> Portrait:
    """A portrait from a picture (H, W, 3), its landmarks (478, 3) and a person mask (H, W) in 0..1, if there is one.

    Raises:
        FaceError: the face is too small or turned away.
    """
    check_face(landmarks)
    pose = fit_pose(landmarks)
    landmarks = bearable(np.concatenate([untangle(landmarks[:, :2], pose.scale), landmarks[:, 2:]], axis=1))
    shape = lips_touching(pose.undo(landmarks))
    landmarks = pose.apply(shape)
    matte = matte_of(one_person(person, landmarks), landmarks) if person is not None else None
    return Portrait(
        pixels=np.ascontiguousarray(pixels),
        landmarks=landmarks,
        pose=pose,
        shape=shape,
        rest=close_lips(shape),
        matte=matte,
        background=fill(pixels, matte == 0) if matte is not None else None,
        digest=hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest(),
    )


def check_face(landmarks: Array) -> None:
    """Refuse a face that cannot be animated.

    Raises:
        FaceError: it is too small or turned away.
    """
    eyes = eye_distance(landmarks)
    if eyes < SMALLEST_EYES:
        raise FaceError(
            f"the portrait's face is too small: its eyes are {eyes:.0f} pixels apart, at least {SMALLEST_EYES:.0f} are "
            "needed; use a larger picture or one taken closer"
        )
    angles = angles_of(fit_pose(landmarks).rotation)
    if max(abs(angles.yaw), abs(angles.pitch)) > TURNED:
        raise FaceError(
            f"the portrait's face is turned away by {max(abs(angles.yaw), abs(angles.pitch)):.0f} degrees, at most "
            f"{TURNED:.0f} can be animated; use a picture that looks towards the camera"
        )


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
    contour = topology.distances(plane, topology.OVAL)
    pairs = np.concatenate([face.triangles[:, (a, b)] for a, b in ((0, 1), (1, 2), (2, 0))])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[(contour[pairs] < REACH).all(axis=1)]
    ends = np.ascontiguousarray(pairs.T.astype(np.int64))
    mobility = np.exp(-((contour[ends] / (REACH / 3)) ** 2)) + 1e-3
    return ends, mobility / mobility.sum(axis=0)
