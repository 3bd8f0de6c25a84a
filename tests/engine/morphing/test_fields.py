"""Distance fields: the area between two, and what is known of the nearest place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.morphing.fields import REACH, covered, distance_field, outline_between, spread

EYES = 40.0


def disc(radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:200, :200]
    return np.asarray(np.hypot(x - 100, y - 100) <= radius)


def opacity(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(inside, np.uint8(255), np.uint8(0))


def test_a_field_tells_how_far_inside() -> None:
    field = distance_field(disc(60), EYES)
    assert (field[100, 100] - REACH) * EYES == pytest.approx(60, abs=2)
    assert (field[100, 20] - REACH) * EYES == pytest.approx(-20, abs=2)
    assert (distance_field(disc(300), EYES) == 2 * REACH).all()
    assert (distance_field(disc(-1), EYES) == 0).all()


@pytest.mark.parametrize("degree", [0.25, 0.5, 0.75])
def test_between_two_discs_lies_a_disc(degree: float) -> None:
    small, large = disc(40), disc(80)
    fields = distance_field(small, EYES), distance_field(large, EYES)
    out = outline_between((opacity(small), opacity(large)), fields, degree)
    assert ((out > 20) & (out < 235)).sum() < 2000, "one edge, not two"
    assert np.sqrt((out > 127).sum() / np.pi) == pytest.approx(40 + 40 * degree, abs=1.5)


@pytest.mark.parametrize("degree", [0.0, 1.0])
def test_at_an_end_the_outline_keeps_its_soft_edge(degree: float) -> None:
    soft = np.clip(600 - 8 * np.hypot(*(np.mgrid[:200, :200] - 100)), 0, 255).astype(np.uint8)
    other = opacity(disc(30))
    pair = (soft, other) if degree == 0 else (other, soft)
    fields = distance_field(pair[0] > 127, EYES), distance_field(pair[1] > 127, EYES)
    out = outline_between(pair, fields, degree)
    assert np.abs(out.astype(int) - soft).max() <= 1


def test_coverage_goes_from_none_to_all_at_the_outline() -> None:
    field = np.array([[0, REACH - 1, REACH, REACH + 1]], np.float32)
    assert covered(field).tolist() == [[0, 0, 128, 255]]


def test_what_is_not_known_is_as_the_nearest_known() -> None:
    values, known = np.zeros((5, 9), bool), np.zeros((5, 9), bool)
    values[2, 8] = known[2, 8] = known[2, 0] = True
    out = spread(values, known)
    assert out[:, 6:].all()
    assert not out[:, :3].any()
