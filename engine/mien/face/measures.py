"""What a face shows, as a few numbers from its landmarks: how open, how turned, how proportioned.

Measured alike on a driver, on a target shape and on landmarks found again in an output, so that these can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import angles_of, fit_pose
from mien.face.procrustes import Similarity

Array = NDArray[np.float64]

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
