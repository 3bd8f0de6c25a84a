from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien.face import topology
from mien.face.contacts import lid_gaps, lip_gaps
from mien.face.measures import lower_face_height
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles, angles_of, fit_pose
from mien.portrait.portrait import Portrait
from mien.reenact.target import LIDS_WIDEST, target_of

NAMES = ("aldo", "mira", "teo")
STILL = identity_motion()


@pytest.mark.parametrize("name", NAMES)
def test_no_motion_leaves_the_portraits_landmarks(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    target = target_of(portrait, STILL)
    np.testing.assert_allclose(target.landmarks, portrait.landmarks, atol=1e-6)
    np.testing.assert_allclose(target.shape, portrait.rest, atol=1e-12)


@pytest.mark.parametrize("turn", [Angles(15, 0, 0), Angles(-15, 5, 0), Angles(0, -12, 0), Angles(0, 0, 20)])
def test_a_turn_adds_to_the_portraits_own(turn: Angles, portrait: Portrait) -> None:
    target = target_of(portrait, replace(STILL, turn=turn))
    own, now = angles_of(portrait.pose.rotation), angles_of(target.pose.rotation)
    for axis in ("yaw", "pitch", "roll"):
        assert getattr(now, axis) - getattr(own, axis) == pytest.approx(getattr(turn, axis), abs=1e-6)
    seen = angles_of(fit_pose(target.landmarks, portrait.shape).rotation)
    assert seen.yaw == pytest.approx(now.yaw, abs=2.0)


def test_way_and_size(portrait: Portrait) -> None:
    target = target_of(portrait, replace(STILL, translation=np.array([0.1, -0.2]), scale=1.1))
    way = target.pose.translation - portrait.pose.translation
    np.testing.assert_allclose(way[:2], np.array([0.1, -0.2]) * portrait.pose.scale)
    assert target.pose.scale == pytest.approx(1.1 * portrait.pose.scale)


def test_lips_open_by_shares_of_the_lower_face(portrait: Portrait) -> None:
    gaps = np.linspace(0.05, 0.25, 9)
    shape = target_of(portrait, replace(STILL, lips=gaps)).shape
    np.testing.assert_allclose(lip_gaps(shape), gaps * lower_face_height(portrait.rest), atol=1e-9)


def test_lids_open_by_shares_of_the_portraits_eyes_and_no_wider_than_there_is_to_show(portrait: Portrait) -> None:
    rest = lid_gaps(portrait.rest)
    for lids, shown in (([0.0, 1.0], [0.0, 1.0]), ([0.5, 1.2], [0.5, 1.2]), ([9.0, 1.0], [LIDS_WIDEST, 1.0])):
        shape = target_of(portrait, replace(STILL, lids=np.array(lids))).shape
        np.testing.assert_allclose(lid_gaps(shape), rest * np.array(shown)[:, None], atol=1e-9)


def test_gaze_moves_the_irises_in_eye_widths_and_not_out_of_the_eye(portrait: Portrait) -> None:
    def irises(way: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        shape = target_of(portrait, replace(STILL, gaze=np.array([[way, 0.0], [way, 0.0]]))).shape
        return shape[[iris[0] for iris in topology.IRISES], 0]

    widths = [abs(portrait.rest[eye[8], 0] - portrait.rest[eye[0], 0]) for eye in topology.EYES]
    np.testing.assert_allclose(irises(0.08) - irises(0.0), 0.08 * np.array(widths), atol=1e-9)
    np.testing.assert_allclose(irises(5.0), irises(9.0))
    assert (np.abs(irises(5.0) - irises(0.0)) < 0.5 * np.array(widths)).all()


@pytest.mark.parametrize("pitch", [-12.0, 12.0])
def test_gaze_keeps_the_irises_in_depth(pitch: float, portrait: Portrait) -> None:
    """Else eyes would slide over the face as the head nods."""
    shape = target_of(portrait, replace(STILL, turn=Angles(0.0, pitch, 0.0))).shape
    np.testing.assert_allclose(shape[topology.SKIN_COUNT :], portrait.rest[topology.SKIN_COUNT :], atol=1e-9)


def test_absolute_motion_is_the_drivers_landmarks_in_the_portraits_frame(portrait: Portrait) -> None:
    width, height = portrait.size
    wanted = portrait.landmarks + [7.0, -4.0, 0.0]
    motion: Motion = replace(STILL, landmarks=wanted / [width, height, width])
    np.testing.assert_allclose(target_of(portrait, motion).landmarks, wanted, atol=0.02 * portrait.pose.scale)
    np.testing.assert_allclose(target_of(portrait, motion).landmarks[topology.SKIN_COUNT :], wanted[468:], atol=1e-6)


def test_other_pictures_of_a_bank_take_the_first_ones_pose(portraits: dict[str, Portrait]) -> None:
    target = target_of(portraits["mira"], STILL, portraits["aldo"].pose)
    np.testing.assert_allclose(target.pose.rotation, portraits["aldo"].pose.rotation, atol=1e-9)
    assert target.pose.scale == portraits["aldo"].pose.scale
