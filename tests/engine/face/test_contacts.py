from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.face import topology
from mien.face.contacts import (
    EYE_OPEN,
    LOWER_LIDS,
    LOWER_LIP_RIM,
    UPPER_LIDS,
    UPPER_LIP_RIM,
    at_rest,
    close_lips,
    lid_gaps,
    lip_gaps,
    open_lids,
    set_lid_gaps,
    set_lip_gaps,
)
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis

SHAPE = canonical_face().points
BASIS = expression_basis(SHAPE)
FAR_FROM_MOUTH = np.array([10, 151, 33, 133, 263, 362, 168, 6, 70, 300, 127, 356, 468, 473])
FAR_FROM_EYES = np.array([10, 152, 4, 1, 61, 291, 13, 14, 17, 172, 397, 58, 288])


def _at(**weights: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    row = np.zeros(len(EXPRESSIONS))
    for name, weight in weights.items():
        row[INDEX[name]] = weight
    return np.asarray(SHAPE + np.tensordot(row, BASIS, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 0.5), min_size=9, max_size=9))
def test_lips_stand_exactly_as_far_apart_as_told(gaps: list[float]) -> None:
    out = set_lip_gaps(SHAPE, np.array(gaps))
    np.testing.assert_allclose(lip_gaps(out), gaps, atol=1e-12)
    np.testing.assert_allclose(out[FAR_FROM_MOUTH], SHAPE[FAR_FROM_MOUTH], atol=2e-3)
    beside = np.setdiff1d(np.arange(478), [*UPPER_LIP_RIM, *LOWER_LIP_RIM])
    np.testing.assert_array_equal(out[beside][:, [0, 2]], SHAPE[beside][:, [0, 2]])


@pytest.mark.parametrize("pitch", [-25.0, 25.0])
def test_closed_lips_and_lids_stay_closed_when_the_head_nods(pitch: float) -> None:
    out = set_lid_gaps(set_lip_gaps(SHAPE + [0, 0, 0.1] * (np.arange(478) % 2)[:, None], np.zeros(9)), np.zeros((2, 7)))
    turned = out @ rotation_of(Angles(0.0, pitch, 0.0)).T
    np.testing.assert_allclose(turned[UPPER_LIP_RIM], turned[LOWER_LIP_RIM], atol=1e-9)
    np.testing.assert_allclose(turned[UPPER_LIDS], turned[LOWER_LIDS], atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 0.2), min_size=14, max_size=14))
def test_lids_stand_exactly_as_far_apart_as_told(gaps: list[float]) -> None:
    wanted = np.array(gaps).reshape(2, 7)
    out = set_lid_gaps(SHAPE, wanted)
    np.testing.assert_allclose(lid_gaps(out), wanted, atol=1e-12)
    np.testing.assert_allclose(out[FAR_FROM_EYES], SHAPE[FAR_FROM_EYES], atol=1e-4)


def test_corners_of_eyes_and_mouth_stay() -> None:
    corners = [ring[i] for ring in topology.EYES for i in (0, 8)]
    out = set_lid_gaps(SHAPE, np.zeros((2, 7)))
    np.testing.assert_allclose(out[corners], SHAPE[corners], atol=1e-12)
    corners = [ring[i] for ring in (topology.INNER_LIPS, topology.OUTER_LIPS) for i in (0, 10)]
    out = set_lip_gaps(SHAPE, np.full(9, 0.3))
    np.testing.assert_array_equal(out[corners], SHAPE[corners])


def test_one_eye_leaves_the_other_alone() -> None:
    wanted = lid_gaps(SHAPE)
    wanted[0] = 0.0
    out = set_lid_gaps(SHAPE, wanted)
    np.testing.assert_allclose(out[list(topology.RIGHT_EYE)], SHAPE[list(topology.RIGHT_EYE)], atol=1e-9)


def test_the_upper_lip_hardly_follows_a_falling_jaw_and_the_chin_does() -> None:
    out = set_lip_gaps(SHAPE, np.full(9, 0.3))
    assert out[14, 1] - SHAPE[14, 1] > 1.5 * (SHAPE[13, 1] - out[13, 1]) > 0
    assert 0 < out[17, 1] - SHAPE[17, 1] < 0.3


def test_rest_closes_an_open_mouth_and_opens_shut_eyes() -> None:
    spoken = at_rest(_at(jaw_open=0.6, lid_left=1.0, lid_right=1.0))
    np.testing.assert_allclose(lip_gaps(spoken), 0.0, atol=1e-12)
    usual = lid_gaps(SHAPE)
    assert (lid_gaps(spoken).sum(axis=1) >= EYE_OPEN * usual.sum(axis=1)).all()


def test_rest_opens_only_the_eye_that_is_shut() -> None:
    winked = _at(lid_left=1.0)
    out = open_lids(winked)
    np.testing.assert_allclose(out[list(topology.RIGHT_EYE)], winked[list(topology.RIGHT_EYE)], atol=1e-9)
    np.testing.assert_allclose(lid_gaps(out)[0], lid_gaps(SHAPE)[0], atol=1e-9)


def test_crossing_lips_are_parted() -> None:
    crossed = SHAPE.copy()
    crossed[13, 1] += 0.05
    np.testing.assert_allclose(lip_gaps(close_lips(crossed)), 0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_a_real_face_at_rest_is_closed_and_keeps_its_eyes(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    np.testing.assert_allclose(lip_gaps(portrait.rest), 0.0, atol=1e-12)
    np.testing.assert_allclose(portrait.rest[FAR_FROM_MOUTH], portrait.shape[FAR_FROM_MOUTH], atol=5e-3)
