from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.pipeline.controller import (
    FULL,
    HOLD,
    LEVELS,
    LONGEST_HELD,
    LONGEST_WAIT,
    MISSES,
    WAIT,
    ControllerState,
    LatencyTarget,
    Measured,
    begin,
    step,
)

INTERVAL = 0.04
TARGET = LatencyTarget(latency=0.1)

measurements = st.builds(
    Measured,
    latency=st.floats(0.0, 10.0),
    interval=st.floats(0.005, 1.0),
    busy=st.floats(0.0, 10.0),
    lost=st.integers(0, 30),
    level=st.integers(FULL, HOLD),
)
targets = st.builds(LatencyTarget, latency=st.floats(0.01, 1.0), highest=st.integers(FULL, HOLD))


def _measured(level: int, latency: float = 0.03, busy: float = 0.02, lost: int = 0) -> Measured:
    return Measured(latency, INTERVAL, busy, lost, level)


class Machine:
    """A machine on which a frame of each level takes so many seconds, driven at 25 frames per second."""

    def __init__(self, *costs: float, target: LatencyTarget = TARGET) -> None:
        self.costs = costs
        self.target = target
        self.state = begin(target)
        self.now = 0.0
        self.levels: list[int] = []

    def run(self, seconds: float) -> list[int]:
        levels = []
        for _ in range(round(seconds / INTERVAL)):
            self.now += INTERVAL
            cost = self.costs[self.state.level]
            measured = _measured(self.state.level, latency=cost + 0.01, busy=cost, lost=int(cost > INTERVAL))
            self.state = step(self.state, measured, self.now, self.target)
            levels.append(self.state.level)
        self.levels += levels
        return levels


@given(st.lists(st.tuples(measurements, st.floats(-1.0, 5.0))), targets)
def test_the_level_moves_one_at_a_time_and_stays_among_those_that_there_are(
    frames: list[tuple[Measured, float]], target: LatencyTarget
) -> None:
    state, now = begin(target), 0.0
    for measured, passed in frames:
        now += passed  # also a clock that jumps back
        after = step(state, measured, now, target)
        assert after == step(state, measured, now, target), "the same in gives the same out"
        assert abs(after.level - state.level) <= 1
        assert target.highest <= after.level <= HOLD
        assert WAIT <= after.wait <= LONGEST_WAIT
        state = after


@given(st.lists(st.tuples(measurements, st.floats(0.001, 5.0)), max_size=60))
def test_no_step_up_comes_sooner_than_the_wait_after_a_miss_or_a_change(frames: list[tuple[Measured, float]]) -> None:
    state, now, troubled_at = ControllerState(level=HOLD), 0.0, 0.0
    for measured, passed in frames:
        now += passed
        after = step(state, measured, now, TARGET)
        if after.level < state.level:
            assert now - troubled_at >= state.wait
        missed = measured.level == state.level and (measured.latency > TARGET.latency or measured.lost > 0)
        if missed or after.level != state.level:
            troubled_at = now
        state = after


@given(st.integers(FULL, HOLD))
def test_frames_always_in_time_lead_to_the_best_level_there_is(highest: int) -> None:
    machine = Machine(*[0.02] * len(LEVELS), target=replace(TARGET, highest=highest))
    machine.state = ControllerState(level=HOLD)
    machine.run(30.0)
    assert machine.state.level == highest


def test_frames_always_late_lead_to_hold() -> None:
    machine = Machine(0.3, 0.3, 0.3, 0.3)
    machine.run(HOLD * (MISSES + 1) * INTERVAL)
    assert machine.state.name == "hold"


@given(st.floats(0.11, 60.0), st.integers(0, 29))
def test_one_late_frame_changes_nothing(latency: float, lost: int) -> None:
    state = begin(TARGET)
    for number in range(50):
        late = number == 25
        measured = _measured(FULL, latency if late else 0.03, lost=lost if late else 0)
        state = step(state, measured, number * INTERVAL, TARGET)
    assert state.level == FULL


def test_what_comes_late_at_once_after_a_stop_is_one_miss() -> None:
    state = begin(TARGET)
    for number in range(4):  # one in each worker and slot
        state = step(state, _measured(FULL, latency=3.0, lost=75), 10.0 + number * 0.004, TARGET)
    assert state.level == FULL


def test_two_lost_frames_in_a_hundred_are_borne() -> None:
    state = begin(TARGET)
    for number in range(1000):
        state = step(state, _measured(FULL, lost=int(number % 50 == 0)), number * INTERVAL, TARGET)
    assert state.level == FULL


def test_a_machine_too_slow_for_the_generator_settles_on_what_it_can() -> None:
    machine = Machine(0.06, 0.035, 0.01, 0.0)
    machine.run(10.0)
    assert set(machine.run(10.0)) == {LEVELS.index("half")}


def test_a_level_that_fails_again_and_again_is_tried_less_and_less() -> None:
    machine = Machine(0.06, 0.02, 0.01, 0.0)
    levels = machine.run(120.0)
    tries = [now for before, now in pairwise(levels) if now < before]
    assert 3 <= len(tries) <= 7
    assert levels.count(FULL) < 0.03 * len(levels)


def test_held_pictures_come_back_soon_though_now_and_then_one_is_lost() -> None:
    state = ControllerState(level=HOLD, wait=LONGEST_WAIT)
    for number in range(round((LONGEST_HELD + 1) / INTERVAL)):
        lost = int(number % 20 == 19)
        state = step(state, _measured(HOLD, lost=lost), number * INTERVAL, TARGET)
        if state.level != HOLD:
            break
    assert state.level == LEVELS.index("warp")


def test_held_pictures_stay_while_frames_are_lost_one_after_another() -> None:
    state = ControllerState(level=HOLD)
    for number in range(250):
        state = step(state, _measured(HOLD, lost=number % 2), number * INTERVAL, TARGET)
    assert state.level == HOLD


def test_once_the_load_is_gone_the_level_returns_and_the_wait_is_forgotten() -> None:
    machine = Machine(0.08, 0.06, 0.02, 0.0)
    machine.run(40.0)
    machine.costs = (0.02, 0.015, 0.01, 0.0)
    machine.run(2 * LONGEST_WAIT + 5)
    assert machine.state.level == FULL
    machine.run(15.0)
    assert machine.state.wait == WAIT


def test_a_frame_from_before_the_step_says_nothing_about_the_level_after_it() -> None:
    state = ControllerState(level=LEVELS.index("warp"))
    for number in range(20):
        state = step(state, _measured(FULL, latency=2.0), number * INTERVAL, TARGET)
    assert state == ControllerState(level=LEVELS.index("warp"))


@pytest.mark.parametrize(("latency", "highest"), [(0.0, 0), (-1.0, 0), (float("nan"), 0), (0.1, 4), (0.1, -1)])
def test_a_target_is_checked(latency: float, highest: int) -> None:
    with pytest.raises(ValueError, match="expected a latency"):
        LatencyTarget(latency, highest)


@pytest.mark.parametrize("rate", [0.0, -25.0, float("nan")])
def test_a_rate_is_checked(rate: float) -> None:
    with pytest.raises(ValueError, match="expected a latency and rate above 0"):
        LatencyTarget(rate=rate)
