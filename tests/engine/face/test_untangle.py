from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.face import topology
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien.face.untangle import LEAST_READ, folded, folded_lips, untangle, untangle_lips
from mien.portrait.portrait import Portrait

SCALE = 120.0
FEATURES = np.array([133, 362, 4, 1, 13, 14, 168, 61, 291])


def _turned(yaw: float, pitch: float = 0.0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    points = canonical_face().points @ rotation_of(Angles(yaw, pitch, 0.0)).T
    return np.ascontiguousarray(points[:, :2] * SCALE + 300)


def test_a_face_without_folds_is_left_as_it_is() -> None:
    points = _turned(0.0)
    assert not folded(points, SCALE).any()
    np.testing.assert_array_equal(untangle(points, SCALE), points)


@settings(max_examples=15, deadline=None)
@given(st.floats(10, 45) | st.floats(-45, -10), st.floats(-12, 12))
def test_a_turned_head_is_unfolded_but_for_what_its_nose_hides_and_its_features_stay(yaw: float, pitch: float) -> None:
    points = _turned(yaw, pitch)
    out = untangle(points, SCALE)
    assert folded(out, SCALE).sum() <= max(5, folded(points, SCALE).sum() // 20)
    assert np.abs(out - points)[FEATURES].max() < 0.03 * SCALE


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_real_faces_are_without_folds_once_prepared(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    assert not folded(portrait.landmarks[:, :2], portrait.pose.scale).any()


def test_the_size_of_the_picture_does_not_matter() -> None:
    points = _turned(40.0)
    np.testing.assert_allclose(untangle(points * 4, SCALE * 4), untangle(points, SCALE) * 4, atol=0.05)


INNER_LIPS, OUTLINES = np.array(topology.INNER_LIPS), np.array([*topology.OUTER_LIPS, *topology.OVAL])


def test_lips_that_were_read_in_the_wrong_order_are_put_right_and_their_rims_stay() -> None:
    """As the landmarker reads the lower lip of a mouth that is torn open: chin and lip on one another."""
    points = canonical_face().points[:, :2] * SCALE + 300
    below = np.array([18, 83, 313, 200])
    read = points.copy()
    read[below, 1] = points[17, 1] - 0.2 * (points[below, 1] - points[17, 1])
    assert folded_lips(read, SCALE).any()
    out = untangle_lips(read, SCALE, LEAST_READ)
    assert not folded_lips(out, SCALE).any()
    np.testing.assert_array_equal(out[INNER_LIPS], read[INNER_LIPS])
    assert out[200, 1] > out[18, 1] > out[17, 1] > out[14, 1]
    assert np.abs(out - read)[OUTLINES].max() < 0.02 * SCALE


def test_a_mouth_without_folds_is_left_as_it_is() -> None:
    points = np.ascontiguousarray(canonical_face().points[:, :2] * SCALE + 300)
    assert not folded_lips(points, SCALE).any()
    np.testing.assert_array_equal(untangle_lips(points, SCALE), points)
