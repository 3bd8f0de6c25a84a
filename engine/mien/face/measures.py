"""Measures of a face: sizes of its features (the units of motion transfer), openings, angles, proportions.

Motion is measured in sizes of features, so that it carries over between faces of different shape: each landmark belongs
to the regions of the face with weights that sum to one; a region has a size along each axis. Offsets divided by the
driver's sizes and multiplied by the portrait's are the same deed on another face.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Similarity, angles_of, fit_pose
from mien.face.topology import canonical_face

Array = NDArray[np.float64]

REGIONS: Final = ("face", "eyes", "brows", "lips")
ANCHORS: Final[dict[str, tuple[int, ...]]] = {
    "face": (*topology.OVAL[:10], *topology.OVAL[27:], 6, 197, 195, 5, 4, 1, 50, 280, 117, 346, 205, 425, 151),
    "eyes": (*topology.LEFT_EYE, *topology.RIGHT_EYE, *topology.LEFT_IRIS, *topology.RIGHT_IRIS),
    "brows": (*topology.LEFT_BROW, *topology.RIGHT_BROW, 9, 8, 108, 337),
    "lips": (*topology.OUTER_LIPS, *topology.INNER_LIPS, *topology.OVAL[14:23], 18, 200, 199, 164, 206, 426, 57, 287),
}
"""Landmarks that stand for a region; the lower jaw belongs to the lips."""
REACH: Final = 0.09
"""How softly regions pass into each other, in eye distances."""
CHANNELS: Final = ("mouth", "eyes", "yaw", "pitch", "roll")
"""Openings in eye distances, angles in degrees."""
PROPORTIONS: Final = ("width_to_height", "nose_width", "eye_width")
"""Of an un-posed face, the widths in eye distances."""
_INNER_LIPS: Final = (13, 14)
_LIDS: Final = ((159, 145), (386, 374))
_TEMPLES: Final = (127, 356)
_HEIGHT: Final = (10, 152)
_NOSTRILS: Final = (48, 278)
_EYE_CORNERS: Final = ((33, 133), (362, 263))


@lru_cache(maxsize=1)
def region_weights() -> Array:
    """(478, 4): each landmark's share in `REGIONS`, smooth over the face, rows sum to 1. Read-only."""
    points = canonical_face().points
    near = (
        np.stack([np.exp(-((topology.distances(points, ANCHORS[name]) / REACH) ** 2)) for name in REGIONS], axis=1)
        + 1e-9
    )
    weights = near / near.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return np.asarray(weights)


def _span(shape: Array, a: int, b: int, axis: int) -> float:
    return max(abs(float(shape[b, axis] - shape[a, axis])), 1e-3)


def region_sizes(shape: Array) -> Array:
    """(4, 3): extent of each of `REGIONS` along x, y, z of an un-posed `shape` (478, 3), in its own unit.

    Widths of the face at the temples, of the eyes, of the brows, of the mouth; heights of the face above the nose,
    between brow and eye, and of the lower face.
    """
    temple, upper = _span(shape, 127, 356, 0), _span(shape, 10, 2, 1)
    eyes = (_span(shape, 33, 133, 0) + _span(shape, 362, 263, 0)) / 2
    brows = (_span(shape, 70, 107, 0) + _span(shape, 336, 300, 0)) / 2
    lower = lower_face_height(shape)
    mouth = _span(shape, 61, 291, 0)
    depth = temple
    return np.array([[temple, upper, depth], [eyes, upper, depth], [brows, upper, depth], [mouth, lower, depth]])


def lower_face_height(shape: Array) -> float:
    """From below the nose to the chin of an un-posed shape whose mouth is closed, in its own unit."""
    return _span(shape, 2, 152, 1)


def landmark_sizes(shape: Array) -> Array:
    """(478, 3): the size by which each landmark's offset is measured on this face, relative to the canonical face's."""
    canonical = region_sizes(canonical_face().points)
    return np.asarray(region_weights() @ (region_sizes(shape) / canonical))


def channels_of(landmarks: Array) -> Array:
    """(5,): `CHANNELS` of landmarks (478, 3) in pixels; the angles are of the head's rigid points."""
    pose = fit_pose(landmarks)
    angles = angles_of(pose.rotation)
    eyes = np.mean([_apart(landmarks, pair) for pair in _LIDS])
    openings = np.array([_apart(landmarks, _INNER_LIPS), eyes]) / pose.scale
    return np.array([*openings, angles.yaw, angles.pitch, angles.roll])


def proportions_of(landmarks: Array, pose: Similarity | None = None) -> Array:
    """(3,): `PROPORTIONS` of landmarks (478, 3) in pixels, with the head's turn undone; `pose` where it is known."""
    shape = (pose or fit_pose(landmarks)).undo(landmarks)
    width, height = _across(shape, _TEMPLES, 0), _across(shape, _HEIGHT, 1)
    eyes = np.mean([_across(shape, pair, 0) for pair in _EYE_CORNERS])
    return np.array([width / height, _across(shape, _NOSTRILS, 0), eyes])


def channels_over_time(track: Sequence[Array | None]) -> Array:
    """(N, 5): `channels_of` each of N landmark sets, NaN where there is none."""
    return np.array([np.full(len(CHANNELS), np.nan) if one is None else channels_of(one) for one in track])


def _apart(landmarks: Array, pair: tuple[int, int]) -> float:
    way = landmarks[pair[1], :2] - landmarks[pair[0], :2]
    return float(np.hypot(way[0], way[1]))


def _across(shape: Array, pair: tuple[int, int], axis: int) -> float:
    return abs(float(shape[pair[1], axis] - shape[pair[0], axis]))


MIDDLE_HEIGHT = 0.35
"""Height in the canonical face of the point from which rings around the face are laid out."""


def contour_middle(shape: Array, pose: Similarity) -> Array:
    """(3,): in the picture, the middle of the contour of an un-posed face `shape` (478, 3)."""
    depth = float(shape[list(topology.OVAL), 2].mean())
    return np.asarray(pose.apply(np.array([[0.0, MIDDLE_HEIGHT, depth]]))[0])
