from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.timeline import JUMP, ClockTimes, keep_beside

BASE = Fraction(1, 1000)
Stamp = tuple[int, float]
"""A source's time in milliseconds, and when it came in seconds."""


def _placed(stamps: list[Stamp], base: Fraction = BASE) -> tuple[list[int], ClockTimes]:
    times, out = ClockTimes(), []
    for pts, captured_at in stamps:
        times = keep_beside(times, pts, base, captured_at)
        assert times.last is not None
        out.append(times.last)
    return out, times


def test_good_times_pass_untouched() -> None:
    stamps = [(1000 + 40 * i, 7.0 + 0.04 * i + 0.01 * (i % 3)) for i in range(100)]
    out, times = _placed(stamps)
    assert out == [pts for pts, _ in stamps]
    assert times.jumps == 0


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.floats(0.0, 100.0)), min_size=2, max_size=50))
def test_times_always_move_forward_and_stay_near_the_clock(jumps: list[tuple[int, float]]) -> None:
    stamps, now = [], 0.0
    for pts, passed in jumps:
        now += passed
        stamps.append((pts, now))
    out, _ = _placed(stamps)
    assert all(a < b for a, b in pairwise(out))
    for placed, (_, captured_at) in zip(out, stamps, strict=True):
        assert abs((placed - out[0]) / 1000 - (captured_at - stamps[0][1])) <= JUMP + 0.1


@pytest.mark.parametrize("jump", [-3_600_000, -2_000, 2_000, 3_600_000])
def test_a_clock_that_jumps_is_followed_without_a_gap(jump: int) -> None:
    stamps = [(40 * i + (jump if i >= 50 else 0), 0.04 * i) for i in range(100)]
    out, times = _placed(stamps)
    assert out == [40 * i for i in range(100)]
    assert times.jumps == 1


@pytest.mark.parametrize("own", [0, 3000], ids=["its clock stood still too", "its clock went on"])
def test_after_a_stall_times_go_on_where_the_clock_is(own: int) -> None:
    stamps = [(40 * i, 0.04 * i) for i in range(50)] + [(40 * i + own, 0.04 * i + 3.0) for i in range(50, 100)]
    out, _ = _placed(stamps)
    assert out[50:] == [40 * i + 3000 for i in range(50, 100)]


def test_equal_and_slightly_backward_times_become_later_ones() -> None:
    out, times = _placed([(0, 0.0), (40, 0.04), (40, 0.08), (30, 0.12), (160, 0.16)])
    assert out == [0, 40, 41, 42, 160]
    assert times.jumps == 0


def test_a_slow_drift_is_no_jump_until_it_is_far() -> None:
    stamps = [(40 * i, 0.0401 * i) for i in range(1000)]
    out, times = _placed(stamps)
    assert out == [40 * i for i in range(1000)]
    assert times.jumps == 0


def test_the_rate_is_measured_and_follows_a_change() -> None:
    assert ClockTimes().interval(0.04) == 0.04
    bright = [(33 * i, 0.033 * i) for i in range(40)]
    dark = [(33 * 39 + 66 * i, 0.033 * 39 + 0.066 * i) for i in range(1, 20)]
    assert _placed(bright)[1].interval(0.04) == pytest.approx(0.033)
    assert _placed(bright + dark)[1].interval(0.04) == pytest.approx(0.066)


def test_a_stall_does_not_count_as_a_rate() -> None:
    _, times = _placed([(40 * i, 0.04 * i) for i in range(20)] + [(5000, 5.0)])
    assert times.interval(1.0) == pytest.approx(0.04)


def test_bursts_do_not_carry_times_ahead_of_the_clock() -> None:
    """Two seconds of pictures at once, every two seconds, as a source gives them that does not play them out."""
    stamps = [(40 * i, 2.0 * (i // 50) + 0.001 * (i % 50)) for i in range(1000)]
    out, _ = _placed(stamps)
    for placed, (_, captured_at) in zip(out, stamps, strict=True):
        assert placed / 1000 - captured_at <= JUMP + 0.1
