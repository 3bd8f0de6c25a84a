from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.config import OneEuro
from mien.motion.filters import FilterState, one_euro

LAW = OneEuro(min_cutoff=1.2, beta=0.7)
finite = st.floats(-100, 100)


def _by_the_paper(samples: list[tuple[float, float]], law: OneEuro) -> list[float]:
    """Casiez et al. 2012, algorithm 1, with the speed taken between the sample and the filtered value before it."""
    out: list[float] = []
    speed = before = 0.0
    for i, (seconds, value) in enumerate(samples):
        if i == 0:
            out.append(value)
            before = seconds
            continue
        period = seconds - before

        def alpha(cutoff: float, period: float = period) -> float:
            tau = 1 / (2 * np.pi * cutoff)
            return 1 / (1 + tau / period)

        share = alpha(1.0)
        speed = share * (value - out[-1]) / period + (1 - share) * speed
        share = alpha(law.min_cutoff + law.beta * abs(speed))
        out.append(share * value + (1 - share) * out[-1])
        before = seconds
    return out


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1e-3, 0.2), finite), min_size=1, max_size=30))
def test_it_is_the_filter_of_the_paper(steps: list[tuple[float, float]]) -> None:
    times = np.cumsum([step for step, _ in steps])
    samples = [(float(t), v) for t, (_, v) in zip(times, steps, strict=True)]
    state: FilterState | None = None
    for (seconds, value), wanted in zip(samples, _by_the_paper(samples, LAW), strict=True):
        state = one_euro(state, np.array([value]), seconds, LAW)
        np.testing.assert_allclose(state.value, [wanted], rtol=1e-9, atol=1e-9)


def test_the_first_value_passes_and_a_still_input_is_reached() -> None:
    state = one_euro(None, np.array([3.0]), 0.0, LAW)
    assert state.value == 3.0
    for i in range(1, 200):
        state = one_euro(state, np.array([5.0]), i / 25, LAW)
    assert state.value == pytest.approx(5.0, abs=1e-4)
    assert state.speed == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("later", [0.5, 0.2])
def test_time_that_stands_still_or_jumps_back_keeps_the_value(later: float) -> None:
    state = one_euro(one_euro(None, np.zeros(3), 0.0, LAW), np.ones(3), 0.5, LAW)
    after = one_euro(state, np.full(3, 9.0), later, LAW)
    np.testing.assert_array_equal(after.value, state.value)
    assert after.seconds == later
    onward = one_euro(after, np.full(3, 9.0), later + 0.04, LAW)
    assert (onward.value > state.value).all()


def test_noise_is_damped_and_a_fast_move_is_followed() -> None:
    rng = np.random.default_rng(0)
    law = OneEuro(min_cutoff=1.0, beta=2.0)
    state: FilterState | None = None
    out = []
    for i in range(300):
        value = (i > 150) * 10.0 + rng.normal(0, 0.02)
        state = one_euro(state, np.array([value]), i / 25, law)
        out.append(float(state.value[0]))
    assert np.std(out[50:150]) < 0.012
    assert out[153] > 9.5


def test_input_is_not_changed() -> None:
    value = np.ones(4)
    state = one_euro(one_euro(None, value, 0.0, LAW), value * 2, 0.1, LAW)
    np.testing.assert_array_equal(value, 1.0)
    assert state.value is not value
