"""Shut eyes: lids meet, no white is left, and the rest of the face stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien_export.data.eyelids import close_lids, random_lids, with_lids

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


def _opening(landmarks: Array, eye: tuple[int, ...]) -> float:
    return float((landmarks[list(eye[15:8:-1]), 1] - landmarks[list(eye[1:8]), 1]).mean())


def test_shut_lids_meet_and_hide_the_white(picture: Pixels, landmarks: Array) -> None:
    out, found = with_lids(picture, landmarks, np.zeros(2), np.random.default_rng(0))
    for eye in topology.EYES:
        assert abs(_opening(found, eye)) < 0.5
        was = outline_mask(landmarks[list(eye), :2], (256, 256)) > 0.99
        assert picture[was, 2].mean() > 190  # white
        assert out[was, 2].mean() < 160  # skin


def test_each_eye_opens_as_told(picture: Pixels, landmarks: Array) -> None:
    _, found = with_lids(picture, landmarks, np.array([0.0, 0.5]), np.random.default_rng(0))
    left, right = topology.EYES
    assert abs(_opening(found, left)) < 0.5
    assert 0.4 < _opening(found, right) / _opening(landmarks, right) < 0.6


def test_mouth_and_chin_stay(picture: Pixels, landmarks: Array) -> None:
    out, found = close_lids(picture, landmarks, np.random.default_rng(3))
    low = int(landmarks[2, 1])
    assert np.abs(out[low:].astype(int) - picture[low:]).mean() < 3.0
    np.testing.assert_allclose(found[list(topology.OUTER_LIPS)], landmarks[list(topology.OUTER_LIPS)], atol=1.0)


def test_half_of_the_draws_are_shut_and_some_wink() -> None:
    rng = np.random.default_rng(1)
    lids = np.array([random_lids(rng) for _ in range(400)])
    assert 0.35 < (lids == 0).all(axis=1).mean() < 0.6
    assert 0.05 < (lids[:, 0] != lids[:, 1]).mean() < 0.25
    assert lids.max() <= 1.0
