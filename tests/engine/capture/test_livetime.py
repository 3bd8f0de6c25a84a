from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mien.capture.livetime import TIME_BASE, LiveTime

SECOND = round(1 / TIME_BASE)


def test_a_containers_times_are_followed_from_the_first_frame() -> None:
    time = LiveTime()
    placed = [time.place(Fraction(1000) + Fraction(n, 30), 50 + n / 30 + 0.01 * (n % 3)) for n in range(60)]
    assert placed == [n * SECOND // 30 for n in range(60)]


def test_a_new_connection_goes_on_at_the_time_that_has_passed() -> None:
    time = LiveTime()
    assert [time.place(Fraction(7), 100.0), time.place(Fraction(8), 101.0)] == [0, SECOND]
    time.reconnect()
    assert time.anchor is None
    assert [time.place(Fraction(3), 111.0), time.place(Fraction(4), 112.0)] == [11 * SECOND, 12 * SECOND]


def test_a_quick_new_connection_keeps_the_step() -> None:
    time = LiveTime()
    for n in range(3):
        time.place(Fraction(n, 25), 0.0)
    time.reconnect()
    assert time.place(Fraction(9), 0.0) == 3 * SECOND // 25


def test_a_clock_that_jumps_is_not_followed() -> None:
    for jump in (3600, -3600):
        time = LiveTime()
        for n in range(10):
            time.place(Fraction(n), float(n))
        assert time.place(Fraction(10 + jump), 10.0) == 10 * SECOND
        assert time.place(Fraction(11 + jump), 11.0) == 11 * SECOND


def test_a_pause_that_really_was_is_followed() -> None:
    time = LiveTime()
    time.place(Fraction(0), 0.0)
    assert time.place(Fraction(60), 60.0) == 60 * SECOND


def test_frames_without_a_stamp_have_the_time_at_which_they_came() -> None:
    time = LiveTime()
    assert [time.place(None, now) for now in (5.0, 5.5, 5.5)] == [0, SECOND // 2, SECOND // 2 + 1]


@given(st.lists(st.tuples(st.fractions(-50, 50, max_denominator=1000) | st.none(), st.floats(0, 9)), max_size=30))
def test_every_time_is_later_than_the_one_before(frames: list[tuple[Fraction | None, float]]) -> None:
    time, now, placed = LiveTime(), 0.0, [-1]
    for stamp, step in frames:
        now += step
        placed.append(time.place(stamp, now))
    assert all(a < b for a, b in pairwise(placed))
