from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.face.pose import Angles
from mien.motion.filters import PITCH, ROLL, SHIFT, SIZE, YAW, limit_scale, limit_shift, limit_turn, soft_limit

limited = np.vectorize(soft_limit)
laws = pytest.mark.parametrize(("knee", "limit"), [YAW, PITCH, ROLL, SHIFT, SIZE])


@laws
def test_it_is_the_identity_below_the_knee_and_odd(knee: float, limit: float) -> None:
    values = np.linspace(-knee, knee, 101)
    np.testing.assert_allclose(limited(values, knee, limit), values, atol=1e-12)
    wide = np.linspace(0, 5 * limit, 300)
    np.testing.assert_allclose(limited(-wide, knee, limit), -limited(wide, knee, limit))


@laws
def test_it_rises_strictly_and_never_reaches_the_limit(knee: float, limit: float) -> None:
    out = limited(np.linspace(0, 3 * limit, 500), knee, limit)
    assert (np.diff(out) > 0).all()
    assert out.max() < limit
    assert soft_limit(1e9, knee, limit) <= limit


@laws
def test_its_slope_has_no_step_at_the_knee(knee: float, limit: float) -> None:
    step = 1e-5 * limit
    around = knee + step * np.arange(-3, 4)
    slopes = np.diff(limited(around, knee, limit)) / step
    np.testing.assert_allclose(slopes, 1.0, atol=1e-3)


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(-180, 180))
def test_turns_stay_within_what_a_picture_shows(yaw: float, pitch: float, roll: float) -> None:
    out = limit_turn(Angles(yaw, pitch, roll))
    for value, found, (knee, limit) in ((yaw, out.yaw, YAW), (pitch, out.pitch, PITCH), (roll, out.roll, ROLL)):
        assert abs(found) <= min(abs(value) + 1e-9, limit)
        if abs(value) <= knee:
            assert found == pytest.approx(value)


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_shift_keeps_its_direction(x: float, y: float) -> None:
    way = np.array([x, y])
    out = limit_shift(way)
    assert np.hypot(*out) <= SHIFT[1]
    assert abs(x * out[1] - y * out[0]) < 1e-6
    assert way @ out >= 0


def test_sizes_are_limited_alike_both_ways() -> None:
    assert limit_scale(1.1) == pytest.approx(1.1)
    assert limit_scale(4.0) == pytest.approx(1 / limit_scale(0.25))
    assert limit_scale(100.0) < np.exp(SIZE[1]) + 1e-9
