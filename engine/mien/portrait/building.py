"""Makes a `Portrait` from a picture: face checks, mesh untangling, depth regularisation, person matte.

Depth regularisation: towards its contour a face curves away from the viewer. The picture shows that skin only a few
pixels wide, mixed with hair, while the landmarker assigns the head's whole depth to it. Rotated by that depth it would
become a broad band without texture and with a jagged edge, or fold over. So the slope of depth near the contour is
limited; the outer landmark is moved. In the portrait's own pose nothing changes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.contacts import lips_touching
from mien.face.face import eye_distance
from mien.face.pose import angles_of, fit_pose
from mien.face.topology import canonical_face
from mien.face.untangle import LEAST_READ, untangle, untangle_lips
from mien.portrait.layering import layers_of
from mien.portrait.person import fill, matte_of, one_person
from mien.portrait.portrait import Portrait
from mien.portrait.rest import rest_shapes
from mien.portrait.working import Working

Array = NDArray[np.float64]

SMALLEST_EYES = 16.0
"""Pixels between the outer eye corners below which a face cannot be animated."""
TURNED = 50.0
"""Degrees of yaw or pitch beyond which half of the face is hidden."""
Indices = NDArray[np.int64]
STEEPEST = 2.0
"""Largest slope (depth per distance): turned by 20 degrees, such an edge grows by two thirds or shrinks to a
quarter."""
REACH = 0.35
"""Distance from the contour, in eye distances, within which depth is limited."""
ROUNDS = 150


def prepare_portrait(
    pixels: NDArray[np.uint8],
    landmarks: Array,
    person: NDArray[np.float32] | None,
    shares: NDArray[np.float32] | None = None,
) -> Portrait:
    """A portrait from a picture (H, W, 3), its landmarks (478, 3) and a person mask (h, w) in 0..1, if there is one.

    With `shares` (5, h, w), how surely each pixel is of each of the segmenter's groups of classes
    (`mien.portrait.separating.GROUPS`), it has layers. Both are of the picture at its working size
    (`mien.portrait.working`).

    Raises:
        FaceError: the face is too small or turned away.
    """
    check_face(landmarks)
    pose = fit_pose(landmarks)
    plane = untangle_lips(untangle(landmarks[:, :2], pose.scale), pose.scale, LEAST_READ)
    landmarks = bearable(np.concatenate([plane, landmarks[:, 2:]], axis=1))
    shape = lips_touching(pose.undo(landmarks))
    landmarks = pose.apply(shape)
    rest, relaxed = rest_shapes(shape)
    pixels = np.ascontiguousarray(pixels)
    working = Working.of(pixels)
    own = one_person(person, working.points(landmarks)) if person is not None else None
    matte = matte_of(own, working.points(landmarks)) if own is not None else None
    layers = None
    if own is not None and matte is not None and shares is not None:
        layers = layers_of(pixels, landmarks, shape, pose, own, matte, shares)
    matte = None if matte is None else working.enlarged(matte)
    return Portrait(
        pixels=pixels,
        landmarks=landmarks,
        pose=pose,
        shape=shape,
        rest=rest,
        relaxed=relaxed,
        matte=matte,
        background=fill(pixels, matte == 0, working.share) if matte is not None else None,
        digest=hashlib.sha256(pixels.data).hexdigest(),
        skin=None if shares is None else working.enlarged(np.rint(255 * shares[0]).astype(np.uint8)),
        layers=layers,
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
    """`landmarks` (478, 3) of a portrait with the slope of depth near the contour limited to `STEEPEST`."""
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
    """Mesh edges near the contour: indices of their ends (2, E), and the fraction (2, E) of a correction each end
    takes."""
    face = canonical_face()
    plane = face.points[:, :2]
    contour = topology.distances(plane, topology.OVAL)
    pairs = np.concatenate([face.triangles[:, (a, b)] for a, b in ((0, 1), (1, 2), (2, 0))])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[(contour[pairs] < REACH).all(axis=1)]
    ends = np.ascontiguousarray(pairs.T.astype(np.int64))
    mobility = np.exp(-((contour[ends] / (REACH / 3)) ** 2)) + 1e-3
    return ends, mobility / mobility.sum(axis=0)
