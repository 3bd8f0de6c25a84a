from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import close_lips, lid_gaps, lip_gaps
from mien.face.measures import REGIONS, landmark_sizes, lower_face_height, region_weights
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles, angles_of, fit_pose
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien.portrait.rest import rest_shapes
from mien.reenact.target import (
    BROWS_HIGHEST,
    INNER_BROWS,
    INNER_CORNERS,
    LEAST_ROOM,
    LIDS_WIDEST,
    TURN_GAIN,
    as_shown,
    target_of,
)
from mien_export.samples.basis import INDEX, expression_basis

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
        assert getattr(now, axis) - getattr(own, axis) == pytest.approx(getattr(as_shown(turn), axis), abs=1e-6)
    seen = angles_of(fit_pose(target.landmarks, portrait.shape).rotation)
    assert seen.yaw == pytest.approx(now.yaw, abs=2.0)


@pytest.mark.parametrize("axis", ["yaw", "pitch"])
def test_a_turn_is_made_larger_neither_in_a_still_head_nor_where_the_picture_ends(axis: str) -> None:
    degrees = np.linspace(-40.0, 40.0, 161)
    found = np.array([getattr(as_shown(replace(STILL.turn, **{axis: one})), axis) for one in degrees])
    assert (np.diff(found) > 0).all()
    assert (np.abs(found) >= np.abs(degrees)).all()
    assert found[degrees == 10.0] == pytest.approx(10 * TURN_GAIN, rel=0.1)
    little, far = np.abs(degrees) <= 1.0, np.abs(degrees) >= 38.0
    np.testing.assert_allclose(found[little], degrees[little], rtol=0.03)
    np.testing.assert_allclose(found[far], degrees[far], rtol=0.01)
    assert as_shown(replace(STILL.turn, roll=20.0)).roll == pytest.approx(20.0)


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


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_at_rest_the_look_is_taken_out_as_far_as_is_wanted(share: float, portrait: Portrait) -> None:
    shape = target_of(portrait, STILL, relax=share).shape
    np.testing.assert_allclose(shape, portrait.rest + share * (portrait.relaxed - portrait.rest), atol=1e-9)


def _width(shape: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(shape[291, 0] - shape[61, 0])


def _narrowed(share: float) -> Motion:
    """A driver whose mouth is narrower by a share of its own width."""
    points = canonical_face().points
    expression = np.zeros((478, 3))
    expression[:, 0] = -share * region_weights()[:, REGIONS.index("lips")] * points[:, 0]
    return replace(STILL, expression=expression)


def _brow_height(shape: NDArray[np.float64]) -> float:
    return float(shape[INNER_CORNERS, 1].mean() - shape[INNER_BROWS, 1].mean())


@pytest.mark.parametrize("held", [0.0, 0.08, 0.2])
def test_raised_brows_end_where_brows_end_whatever_the_portrait_holds_up_already(
    held: float, portrait: Portrait
) -> None:
    brows = region_weights()[:, REGIONS.index("brows")] * np.array([[0.0], [-1.0], [0.0]])
    high = replace(portrait, rest=portrait.rest + held * brows.T)
    own = _brow_height(high.rest)
    most = max(BROWS_HIGHEST, own + LEAST_ROOM)
    heights = [
        _brow_height(target_of(high, replace(identity_motion(), expression=way * brows.T)).shape)
        for way in (0.0, 0.03, 0.1, 0.2)
    ]
    assert heights[0] == pytest.approx(own, abs=1e-9)
    assert min(np.diff(heights)) > -0.002  # the corners of the eyes belong to the brows a little
    assert heights[-1] < most
    assert heights[-1] > own + 0.7 * (most - own)


def test_a_smile_yields_to_a_pursed_mouth(portrait: Portrait) -> None:
    smiling = _smiling(portrait)
    own, relaxed = _width(smiling.rest), _width(smiling.relaxed)
    for narrowed in (0.05, 0.15, 0.25, 0.35):
        found = _width(target_of(smiling, _narrowed(narrowed)).shape)
        plain = own * (1 - narrowed)
        if narrowed < 0.1:
            assert found == pytest.approx(plain, rel=0.02)
        elif narrowed > 0.2:
            assert 0.7 * relaxed * (1 - narrowed) < found < relaxed * (1 - narrowed) + 0.01
    assert _width(target_of(smiling, STILL).shape) == pytest.approx(own)


def test_brows_and_eyes_do_not_care_for_a_pursed_mouth(portrait: Portrait) -> None:
    smiling = _smiling(portrait)
    lifted = smiling.relaxed.copy()
    lifted[:, 1] -= 0.1 * region_weights()[:, REGIONS.index("brows")]
    raised = _with_shapes(portrait, smiling.rest, lifted)
    for shape in (target_of(raised, _narrowed(0.35)).shape, target_of(raised, STILL).shape):
        np.testing.assert_allclose(shape[[105, 334], 1], smiling.rest[[105, 334], 1], atol=0.005)
        np.testing.assert_allclose(lid_gaps(shape), lid_gaps(smiling.rest), rtol=0.01)


def test_a_mouth_narrower_than_usual_is_not_narrowed_further(portrait: Portrait) -> None:
    thin = portrait.rest.copy()
    thin[:, 0] *= 1 - 0.3 * region_weights()[:, REGIONS.index("lips")]
    narrow = _with_shapes(portrait, thin, thin)
    found = _width(target_of(narrow, _narrowed(0.3)).shape)
    assert found == pytest.approx(0.7 * _width(thin), rel=0.03)


def _smiling(portrait: Portrait) -> Portrait:
    basis = expression_basis(close_lips(canonical_face().points))
    smile = portrait.rest + 0.9 * basis[INDEX["smile"]] * landmark_sizes(portrait.rest)
    return _with_shapes(portrait, *rest_shapes(smile))


def _with_shapes(
    portrait: Portrait,
    rest: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    relaxed: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> Portrait:
    held = {name: getattr(portrait, name) for name in Portrait.__slots__}
    return Portrait(**held | {"rest": rest, "relaxed": relaxed})


def test_other_pictures_of_a_bank_take_the_first_ones_pose(portraits: dict[str, Portrait]) -> None:
    target = target_of(portraits["mira"], STILL, portraits["aldo"].pose)
    np.testing.assert_allclose(target.pose.rotation, portraits["aldo"].pose.rotation, atol=1e-9)
    assert target.pose.scale == portraits["aldo"].pose.scale
