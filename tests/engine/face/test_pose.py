from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.face.pose import Angles, angles_of, fit_pose, rotation_of
from mien.face.topology import canonical_face
from mien_export.samples.composer import Performer, compose

CENTRE, SIZE = (320.0, 200.0), 110.0
turns = st.floats(-85, 85)


@settings(max_examples=100, deadline=None)
@given(turns, turns, st.floats(-170, 170))
def test_angles_come_back_from_their_rotation(yaw: float, pitch: float, roll: float) -> None:
    rotation = rotation_of(Angles(yaw, pitch, roll))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    found = angles_of(rotation)
    np.testing.assert_allclose([found.yaw, found.pitch, found.roll], [yaw, pitch, roll], atol=1e-6)


@pytest.mark.parametrize(
    ("angles", "axis", "sign"), [(Angles(20, 0, 0), 0, 1), (Angles(0, 20, 0), 1, -1), (Angles(-20, 0, 0), 0, -1)]
)
def test_positive_yaw_and_pitch_turn_the_nose_right_and_up(angles: Angles, axis: int, sign: int) -> None:
    nose = np.array([0.0, 0.0, -1.0]) @ rotation_of(angles).T
    assert nose[axis] * sign == pytest.approx(np.sin(np.radians(20)))


def test_positive_roll_is_clockwise_in_the_picture() -> None:
    right = np.array([1.0, 0.0, 0.0]) @ rotation_of(Angles(0, 0, 20)).T
    assert right[1] > 0


def test_a_posed_canonical_face_is_measured_as_posed() -> None:
    planted = rotation_of(Angles(-22, 9, 14))
    pose = fit_pose(canonical_face().points @ planted.T * SIZE + [*CENTRE, 0.0])
    np.testing.assert_allclose(pose.rotation, planted, atol=1e-9)
    np.testing.assert_allclose(pose.translation[:2], CENTRE, atol=1e-6)
    assert pose.scale == pytest.approx(SIZE)


def test_expression_hardly_moves_the_pose(canonical_performer: Performer) -> None:
    for deed in compose(6.0, seed=1).deeds[::10]:
        found = angles_of(fit_pose(canonical_performer.landmarks(deed, CENTRE, SIZE)).rotation)
        wanted = deed.turn
        np.testing.assert_allclose(
            [found.yaw, found.pitch, found.roll], [wanted.yaw, wanted.pitch, wanted.roll], atol=1.5
        )
