"""The rest shape: expressions composed on a known face are taken out again, and what is the person's own stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.contacts import close_lips, lip_gaps
from mien.face.measures import REGIONS, region_weights
from mien.face.topology import canonical_face
from mien.face.untangle import folded_lips
from mien.portrait.portrait import Portrait
from mien.portrait.rest import rest_shapes
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis

Array = NDArray[np.float64]
SHAPE = close_lips(canonical_face().points)
BASIS = expression_basis(SHAPE)
CHIN, BROW, CORNER, OTHER_CORNER = 152, 105, 291, 61


def expressed(**weights: float) -> Array:
    row = np.zeros(len(EXPRESSIONS))
    for name, weight in weights.items():
        row[INDEX[name]] = weight
    return np.asarray(SHAPE + np.tensordot(row, BASIS, 1))


def width(shape: Array) -> float:
    return float(shape[CORNER, 0] - shape[OTHER_CORNER, 0])


def test_a_face_without_expression_stays() -> None:
    for rest in rest_shapes(SHAPE):
        np.testing.assert_allclose(rest, SHAPE, atol=2e-3)


@pytest.mark.parametrize("jaw", [0.3, 0.6, 1.0])
def test_an_open_mouth_is_closed_with_its_jaw(jaw: float) -> None:
    opened = expressed(jaw_open=jaw)
    for rest in rest_shapes(opened):
        np.testing.assert_allclose(lip_gaps(rest), 0.0, atol=1e-12)
        fallen, left = opened[CHIN, 1] - SHAPE[CHIN, 1], rest[CHIN, 1] - SHAPE[CHIN, 1]
        assert 0 <= left < 0.5 * fallen
        assert not folded_lips(rest[:, :2], 1.0).any()


def test_a_smile_is_kept_or_taken_out() -> None:
    smiling = expressed(smile=0.8)
    closed, relaxed = rest_shapes(smiling)
    own, smiled = width(SHAPE), width(smiling)
    assert width(closed) == pytest.approx(smiled, abs=0.01)
    assert own - 0.01 < width(relaxed) < own + 0.6 * (smiled - own)
    assert smiling[CORNER, 1] < relaxed[CORNER, 1] - 0.02 < SHAPE[CORNER, 1]


def test_raised_brows_are_lowered_as_far_as_is_sure_and_the_mouth_does_not_care() -> None:
    raised = expressed(brow_raise=1.0)
    closed, relaxed = rest_shapes(raised)
    assert closed[BROW, 1] == pytest.approx(raised[BROW, 1], abs=1e-3)
    assert raised[BROW, 1] + 0.02 < relaxed[BROW, 1] < SHAPE[BROW, 1]
    assert width(relaxed) == pytest.approx(width(SHAPE), abs=0.005)


def test_who_has_a_wide_mouth_a_wide_face_or_a_long_chin_keeps_it() -> None:
    mouth, face, chin = SHAPE.copy(), SHAPE * [1.1, 1.0, 1.0], SHAPE.copy()
    mouth[:, 0] *= 1 + 0.12 * region_weights()[:, REGIONS.index("lips")]
    chin[:, 1] += 0.08 * np.clip((SHAPE[:, 1] - 0.8) / 0.47, 0.0, 1.0)
    for person in (mouth, face):
        closed, relaxed = rest_shapes(person)
        assert width(closed) == pytest.approx(width(person), abs=1e-3)
        assert width(person) - width(relaxed) < 0.25 * (width(person) - width(SHAPE))
    for rest in rest_shapes(chin):
        assert rest[CHIN, 1] == pytest.approx(chin[CHIN, 1], abs=0.01)


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_portraits_hold_both(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    closed, relaxed = rest_shapes(portrait.shape)
    np.testing.assert_array_equal(portrait.rest, closed)
    np.testing.assert_array_equal(portrait.relaxed, relaxed)
    np.testing.assert_allclose(lip_gaps(relaxed), 0.0, atol=1e-9)
