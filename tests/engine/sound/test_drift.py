from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.sound.drift import ASTRAY, DriftCompensation, Samples
from mien.sound.sound import SoundFormat

RATE = 8000
FORMAT = SoundFormat(RATE, 1)
RUN = 800
LIPS = 0.04  # seconds by which sound may be off the lips


def _tone(first: int, count: int) -> Samples:
    time = np.arange(first, first + count) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * 220 * time), np.float32)[None]


@pytest.mark.parametrize("drift", [-3e-4, -5e-5, 0.0, 5e-5, 3e-4])
@pytest.mark.parametrize("late", [0.0, 0.03], ids=["on time", "some runs late"])
def test_a_microphone_whose_clock_drifts_stays_in_step_without_a_click(drift: float, late: float) -> None:
    place, rng = DriftCompensation(FORMAT), np.random.default_rng(1)
    end, worst, steepest, last = 0, 0.0, 0.0, np.zeros(1, np.float32)
    for number in range(1800 * RATE // RUN):
        spoken = number * RUN / RATE * (1 + drift)
        at, samples = place(_tone(number * RUN, RUN), spoken + late * rng.random() ** 4)
        if number == 0:
            end = at
        assert at == end, "without a gap"
        end = at + samples.shape[1]
        worst = max(worst, abs(at / RATE - spoken))
        heard = np.concatenate([last, samples[0]])
        steepest, last = max(steepest, float(np.abs(np.diff(heard)).max())), samples[0, -1:]
    assert worst < LIPS / 2
    assert steepest < 1.1 * float(np.abs(np.diff(_tone(0, RATE)[0])).max())


def test_a_clock_that_does_not_drift_changes_no_sample() -> None:
    place = DriftCompensation(FORMAT)
    for number in range(100):
        samples = _tone(number * RUN, RUN)
        at, out = place(samples, 5.0 + number * RUN / RATE)
        assert at == 5 * RATE + number * RUN
        np.testing.assert_array_equal(out, samples)


def test_after_a_gap_sound_is_where_it_is_heard_at_once() -> None:
    place = DriftCompensation(FORMAT)
    place(_tone(0, RUN), 1.0)
    at, out = place(_tone(RUN, RUN), 1.0 + RUN / RATE + 2 * ASTRAY)
    assert at == round((1.0 + RUN / RATE + 2 * ASTRAY) * RATE)
    assert out.shape == (1, RUN)


def test_a_first_run_that_came_late_is_made_up_for_at_once() -> None:
    place = DriftCompensation(FORMAT)
    place(_tone(0, RUN), 1.0 + 0.15)
    for number in range(1, 5):
        at, _ = place(_tone(number * RUN, RUN), 1.0 + number * RUN / RATE)
        assert abs(at / RATE - (1.0 + number * RUN / RATE)) < 0.02


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(-0.2, 0.2)), min_size=1, max_size=40))
def test_runs_never_change_their_length_by_much(runs: list[tuple[int, float]]) -> None:
    place, seconds = DriftCompensation(SoundFormat(RATE, 2)), 10.0
    for count, off in runs:
        _, out = place(np.zeros((2, count), np.float32), seconds + off)
        assert out.shape[0] == 2
        assert abs(out.shape[1] - count) <= max(count * 0.005, 1)
        seconds += count / RATE
