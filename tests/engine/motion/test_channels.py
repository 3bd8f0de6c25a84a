from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.config import Gains
from mien.face import topology
from mien.face.contacts import close_lips
from mien.face.measures import REGIONS, region_weights
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien.motion.channels import (
    BROW_GAIN,
    JAW_SHARE,
    LIP_ALONE,
    Channels,
    gaze_of,
    measure,
    motion_of,
    scaled,
    shortfall,
    still,
    with_gains,
    with_jaw,
)
from mien.motion.neutral import Neutral, estimate, sight
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis

Array = NDArray[np.float64]
SHAPE = close_lips(canonical_face().points)
SIZE, CENTRE = 110.0, np.array([320.0, 240.0, 0.0])


def posed(shape: Array, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, scale: float = 1.0) -> Array:
    return np.asarray(shape @ rotation_of(Angles(yaw, pitch, roll)).T * SIZE * scale + CENTRE)


def expressed(**weights: float) -> Array:
    row = np.zeros(len(EXPRESSIONS))
    for name, weight in weights.items():
        row[INDEX[name]] = weight
    return np.asarray(SHAPE + np.tensordot(row, expression_basis(SHAPE), 1))


@pytest.fixture(scope="module")
def neutral() -> Neutral:
    return estimate([sight(posed(SHAPE))])


@pytest.fixture(scope="module")
def lively(neutral: Neutral) -> Channels:
    shape = expressed(jaw_open=0.5, smile=0.4, brow_raise=0.8, lid_left=0.5, gaze_x=0.6)
    return measure(posed(shape, 15, -6, 8, 1.1) + [12, 5, 0], neutral)


def test_a_neutral_face_measures_as_still(neutral: Neutral) -> None:
    found, calm = measure(posed(SHAPE), neutral), still()
    for field in fields(Channels):
        np.testing.assert_allclose(getattr(found, field.name), getattr(calm, field.name), atol=1e-6)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(25, 0, 0), (-10, 12, 3), (5, -9, -20)])
def test_a_turn_is_measured_as_a_turn_and_as_no_expression(
    yaw: float, pitch: float, roll: float, neutral: Neutral
) -> None:
    found = measure(posed(SHAPE, yaw, pitch, roll), neutral)
    np.testing.assert_allclose(np.degrees(found.angles), [yaw, pitch, roll], atol=1e-6)
    np.testing.assert_allclose(found.expression, 0.0, atol=1e-6)
    np.testing.assert_allclose(found.translation, 0.0, atol=1e-6)
    np.testing.assert_allclose(found.lids, 1.0, atol=1e-6)


def test_way_and_size_are_relative_to_the_driver(neutral: Neutral) -> None:
    found = measure(posed(SHAPE, scale=1.2) + [22.0, -11.0, 0.0], neutral)
    np.testing.assert_allclose(found.translation, [0.2, -0.1], atol=1e-9)
    assert found.scale == pytest.approx(np.log(1.2))


def test_expressions_reach_their_channels(neutral: Neutral) -> None:
    blink = measure(posed(expressed(lid_left=1.0)), neutral)
    assert blink.lids[0] < 0.05
    assert blink.lids[1] == pytest.approx(1.0, abs=0.02)
    spoken = measure(posed(expressed(jaw_open=0.5)), neutral)
    assert spoken.lips[4] > 0.1
    assert spoken.lips[4] > spoken.lips[0]
    look = measure(posed(expressed(gaze_x=0.5)), neutral)
    assert (look.gaze[:, 0] > 0.05).all()
    np.testing.assert_allclose(look.gaze[0], look.gaze[1], atol=0.02)
    raised = measure(posed(expressed(brow_raise=1.0)), neutral)
    assert raised.expression[105, 1] < -0.02


def test_gaze_is_measured_between_the_corners() -> None:
    shape = SHAPE.copy()
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        shape[list(iris), 0] += 0.1 * abs(shape[eye[8], 0] - shape[eye[0], 0])
    np.testing.assert_allclose((gaze_of(shape) - gaze_of(SHAPE))[:, 0], 0.1, atol=1e-9)


def test_brows_get_what_their_reading_lacks_and_nothing_else_does(neutral: Neutral) -> None:
    raised = measure(posed(expressed(brow_raise=1.0, smile=0.8, jaw_open=0.5)), neutral).expression
    lacking = shortfall(raised)
    whole = region_weights()[:, REGIONS.index("brows")] > 0.99
    gain = 1 + lacking[whole, 1] / raised[whole, 1]
    assert (gain > 1 + 0.8 * (BROW_GAIN - 1)).all()
    assert (gain <= BROW_GAIN).all()
    elsewhere = region_weights()[:, REGIONS.index("brows")] < 1e-6
    np.testing.assert_allclose(lacking[elsewhere], 0.0, atol=1e-6)
    np.testing.assert_array_equal(lacking[:, 2], 0.0)


def test_what_is_hardly_seen_is_not_made_larger() -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.002, (478, 3))
    assert np.abs(shortfall(noise)).max() < 0.1 * np.abs(noise).max()


def test_a_chin_that_is_read_too_high_goes_with_the_lower_lip() -> None:
    wide = np.zeros((478, 3))
    lower = [*topology.OUTER_LIPS[11:], *topology.INNER_LIPS[11:]]
    wide[lower, 1] = 0.3
    found = with_jaw(wide)
    assert found[152, 1] == pytest.approx(JAW_SHARE * (0.3 - LIP_ALONE))
    assert found[199, 1] == pytest.approx(found[152, 1], rel=0.05)
    lips = [*topology.OUTER_LIPS, *topology.INNER_LIPS]
    np.testing.assert_array_equal(found[lips], wide[lips])
    np.testing.assert_array_equal(found[SHAPE[:, 1] < SHAPE[17, 1]], wide[SHAPE[:, 1] < SHAPE[17, 1]])


@pytest.mark.parametrize(("lip", "chin"), [(LIP_ALONE, 0.0), (0.3, 0.25), (-0.1, 0.0)])
def test_a_chin_that_is_low_enough_stays_where_it_is_read(lip: float, chin: float) -> None:
    expression = np.zeros((478, 3))
    expression[17, 1], expression[152, 1] = lip, chin
    np.testing.assert_array_equal(with_jaw(expression), expression)


def test_scaling_leads_from_still_to_all(lively: Channels) -> None:
    for share, wanted in ((0.0, still()), (1.0, lively)):
        found = scaled(lively, share)
        for field in fields(Channels):
            np.testing.assert_allclose(getattr(found, field.name), getattr(wanted, field.name), atol=1e-12)


def test_gains_of_one_change_nothing(lively: Channels) -> None:
    found = with_gains(lively, Gains())
    for field in fields(Channels):
        np.testing.assert_allclose(getattr(found, field.name), getattr(lively, field.name), atol=1e-9)


OWN = {
    "pose": {"angles"},
    "translation": {"translation", "scale"},
    "gaze": {"gaze"},
    "eyes": {"lids", "expression"},
    "lips": {"lips", "expression"},
    "brows": {"expression"},
    "expression": {"expression", "lids", "lips"},
}


@pytest.mark.parametrize("name", list(OWN))
def test_a_gain_changes_only_its_own(name: str, lively: Channels) -> None:
    found = with_gains(lively, replace(Gains(), **{name: 0.0}))
    changed = {
        field.name
        for field in fields(Channels)
        if not np.allclose(getattr(found, field.name), getattr(lively, field.name), atol=1e-9)
    }
    assert changed == OWN[name]


@pytest.mark.parametrize("name", ["eyes", "lips", "brows"])
def test_a_gain_changes_only_its_region_of_the_skin(name: str, lively: Channels) -> None:
    found = with_gains(lively, replace(Gains(), **{name: 0.0})).expression
    share = region_weights()[:, REGIONS.index(name)]
    np.testing.assert_allclose(found[share < 1e-6], lively.expression[share < 1e-6], atol=1e-6)
    np.testing.assert_allclose(found[share > 1 - 1e-9], 0.0, atol=1e-9)
    np.testing.assert_allclose(found, lively.expression * (1 - share)[:, None], atol=1e-9)


def test_all_gates_shut_leave_the_portrait_as_it_is(lively: Channels) -> None:
    shut = Gains(**dict.fromkeys(Gains.__slots__, 0.0))
    motion = motion_of(with_gains(lively, shut))
    assert motion.turn == Angles(0.0, 0.0, 0.0)
    assert motion.scale == 1.0
    for value, calm in ((motion.translation, 0), (motion.expression, 0), (motion.gaze, 0), (motion.lips, 0)):
        np.testing.assert_array_equal(value, calm)
    np.testing.assert_array_equal(motion.lids, 1.0)


def test_strong_gains_never_open_lids_inside_out(lively: Channels) -> None:
    assert (with_gains(lively, Gains(eyes=3.0)).lids >= 0).all()


def test_motion_is_the_channels_within_limits(lively: Channels) -> None:
    motion = motion_of(lively)
    np.testing.assert_allclose([motion.turn.yaw, motion.turn.pitch, motion.turn.roll], [15, -6, 8], atol=1.0)
    assert motion.scale == pytest.approx(np.exp(lively.scale))
    far = motion_of(replace(lively, angles=np.radians([80.0, 70.0, -90.0]), translation=np.array([9.0, 0.0])))
    assert far.turn.yaw < 40
    assert far.turn.pitch < 30
    assert far.turn.roll > -50
    assert np.hypot(*far.translation) < 1.2
