"""The rule for times of live streams, played through with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.timeline import (
    EARLY,
    HOLD,
    LATE,
    START,
    TICKS,
    Arrival,
    Manner,
    Times,
    begun,
    early,
    play_out,
    reconnected,
)

PATIENT = Manner(patient=True)
AT_ONCE = Manner()
INVENTED = Manner(patient=True, nominal=True)
ROOM = 200
"""Frames that wait at most where the sender can be held up."""
MOMENT = 2 / TICKS


@dataclass(frozen=True)
class Shown:
    time: float
    """On the line, in seconds."""
    at: float
    """On the clock, since the first."""
    late: float
    """After it was there to be read."""


def play(frames: Iterable[tuple[float, float]], manner: Manner, times: Times | None = None) -> list[Shown]:
    """Frames (own time, when it is sent) through the rule, as `LiveSource` and `ReadAhead` do it, in seconds."""
    times = times or Times()
    now, shown = 0.0, list[Shown]()
    for number, (stamp, sent) in enumerate(frames):
        room = shown[number - ROOM].at if manner.patient and number >= ROOM else 0.0
        held = room > sent
        came = max(sent, room)
        now = max(now, came)
        times = play_out(times, round(stamp * TICKS), Arrival(now if held else came, held), manner)
        if times.began is None:
            times = begun(times, now, manner)
        now += early(times, times.last, now, manner)
        shown.append(Shown(times.last / TICKS, now, now - came))
    return shown


def steps(shown: Sequence[Shown]) -> list[float]:
    return [b.time - a.time for a, b in pairwise(shown)]


def gaps(shown: Sequence[Shown]) -> list[float]:
    return [b.at - a.at for a, b in pairwise(shown)]


def even(
    count: int, rate: float, *, first: float = 0.0, sent: float = 0.0, nominal: float | None = None
) -> list[tuple[float, float]]:
    """A source in real time: frames at `rate`, whose own times count at `nominal`."""
    return [(first + n / (nominal or rate), sent + n / rate) for n in range(count)]


def segments(count: int, rate: float, seconds: float, at_first: int = 1) -> list[tuple[float, float]]:
    """Segments as HLS gives them, each in one go when it is whole; so many at once at first."""
    whole = round(seconds * rate)
    return [(n / rate, max(0, n // whole - at_first + 1) * seconds) for n in range(count)]


@pytest.mark.parametrize("manner", [AT_ONCE, PATIENT])
@pytest.mark.parametrize("first", [0.0, 95_000.0, -3.0])
def test_what_comes_as_time_passes_is_followed_and_shown_at_once(manner: Manner, first: float) -> None:
    frames = [(own, sent + 0.01 * (n % 3)) for n, (own, sent) in enumerate(even(200, 30, first=first, sent=50))]
    shown = play(frames, manner)
    settled = shown[60:] if manner.patient else shown  # a start of a moment's delay is left out within two seconds
    assert steps(settled) == pytest.approx([1 / 30] * (len(settled) - 1), abs=MOMENT)
    assert abs(settled[-1].time - (settled[-1].at - shown[0].at)) <= START
    assert max(one.late for one in settled) <= 0.001
    assert max(one.late for one in shown) <= START


@pytest.mark.parametrize("seconds", [0.4, 2.0, 4.0, 6.0])
@pytest.mark.parametrize("at_first", [1, 3])
def test_segments_are_played_out_by_their_own_times(seconds: float, at_first: int) -> None:
    shown = play(segments(1500, 25, seconds, at_first), PATIENT)
    assert steps(shown) == pytest.approx([0.04] * 1499, abs=MOMENT)
    assert gaps(shown)[5:] == pytest.approx([0.04] * 1494, abs=0.001)
    assert gaps(shown)[:5] == pytest.approx([0.04] * 5, abs=START)


@pytest.mark.parametrize("manner", [PATIENT, INVENTED])
@pytest.mark.parametrize("speed", [50.0, 1e6])
def test_a_recording_that_comes_as_fast_as_it_is_taken_is_played_in_time(manner: Manner, speed: float) -> None:
    shown = play([(n / 25, n / 25 / speed) for n in range(1000)], manner)
    assert steps(shown) == pytest.approx([0.04] * 999, abs=MOMENT)
    assert shown[-1].at - shown[0].at == pytest.approx(999 / 25, abs=START)


@pytest.mark.parametrize("manner", [INVENTED, PATIENT, AT_ONCE])
@pytest.mark.parametrize(("rate", "nominal"), [(15, 25), (12, 25), (5, 25), (25, 30), (8, 60)])
def test_times_that_pass_too_slowly_give_way_to_when_frames_come(manner: Manner, rate: int, nominal: int) -> None:
    shown = play(even(20 * rate, rate, nominal=nominal), manner)
    settled = shown[2 * rate :]
    assert steps(settled) == pytest.approx([1 / rate] * (len(settled) - 1), abs=1 / rate / 4)
    assert shown[-1].time == pytest.approx(20 - 1 / rate, abs=START + LATE)
    assert max(one.late for one in settled) <= 0.001


@pytest.mark.parametrize("manner", [INVENTED, AT_ONCE])
@pytest.mark.parametrize(("rate", "nominal"), [(30, 25), (60, 25), (50, 30)])
def test_times_that_pass_too_fast_give_way_to_when_frames_come(manner: Manner, rate: int, nominal: int) -> None:
    shown = play(even(20 * rate, rate, nominal=nominal), manner)
    settled = shown[2 * rate :]
    assert steps(settled) == pytest.approx([1 / rate] * (len(settled) - 1), abs=1 / rate / 4)
    assert shown[-1].time == pytest.approx(20 - 1 / rate, abs=EARLY)
    assert max(one.late for one in settled) <= 0.001


def test_a_network_too_slow_for_its_stream_makes_pauses_and_leaves_sound_whole() -> None:
    shown = play(even(500, 20, nominal=25), Manner(patient=True, sounding=True))
    usual = [step for step in steps(shown) if step < 0.041]
    assert len(usual) > 400
    assert usual == pytest.approx([0.04] * len(usual), abs=MOMENT)
    assert shown[-1].time == pytest.approx(499 / 20, abs=2 * START)


def stalled(seconds: float, *, kept: bool) -> list[tuple[float, float]]:
    """A source in real time that gives nothing for so long; then what was `kept` at once, or goes on from there."""
    before, after = even(250, 25), even(500, 25, first=10.0, sent=10.0)
    if kept:
        return before + [(own, max(sent, 10 + seconds)) for own, sent in after]
    return before + [(own, sent + seconds) for own, sent in after]


@pytest.mark.parametrize("manner", [AT_ONCE, PATIENT])
@pytest.mark.parametrize("kept", [True, False], ids=["a burst follows", "nothing follows"])
@pytest.mark.parametrize("seconds", [0.7, 5.0])
def test_after_a_stall_times_are_beside_the_clock_again_and_nothing_is_late(
    manner: Manner, kept: bool, seconds: float
) -> None:
    shown = play(stalled(seconds, kept=kept), manner)
    for one in shown:
        assert -LATE - MOMENT <= one.time - (one.at - shown[0].at) <= max(EARLY, START) + 0.05
    assert max(one.late for one in shown[-100:]) <= 0.06
    assert steps(shown[-100:]) == pytest.approx([0.04] * 99, abs=MOMENT)


def test_a_stall_of_segments_is_a_pause_and_nothing_is_lost() -> None:
    frames = [(own, sent if own < 20 else sent + 5) for own, sent in segments(1500, 25, 2.0)]
    shown = play(frames, PATIENT)
    assert sorted(steps(shown))[:-1] == pytest.approx([0.04] * 1498, abs=MOMENT)
    assert max(steps(shown)) == pytest.approx(5.0, abs=2 * START)
    assert gaps(shown[600:]) == pytest.approx([0.04] * 899, abs=0.001)


def test_what_waited_while_a_stream_was_opened_is_not_carried_along() -> None:
    for manner in (AT_ONCE, PATIENT):
        shown = play([(own, max(sent, 1.0)) for own, sent in even(300, 25)], manner)
        assert max(one.late for one in shown[100:]) <= 0.06
        assert abs(shown[-1].time - (shown[-1].at - shown[0].at)) <= EARLY


def test_bursts_that_come_again_are_not_taken_for_being_early() -> None:
    """A third of a second at once, again and again: what that needs of delay is learned and kept."""
    shown = play(segments(1200, 30, 1 / 3), PATIENT)
    assert steps(shown[100:]) == pytest.approx([1 / 30] * 1099, abs=MOMENT)
    assert gaps(shown[100:]) == pytest.approx([1 / 30] * 1099, abs=0.001)


def test_a_drifting_clock_is_followed_all_day() -> None:
    for drift in (0.999, 1.001):
        shown = play(even(6000, 25, nominal=25 * drift), PATIENT)
        assert abs(shown[-1].time - shown[-1].at) <= 2 * START
        assert shown[-1].late <= STEADY_DELAY
        assert median(steps(shown)) == pytest.approx(0.04, rel=0.01)


STEADY_DELAY = 0.25


def test_a_new_connection_goes_on_at_the_time_that_has_passed() -> None:
    times = begun(play_out(Times(), 7 * TICKS, Arrival(100.0), AT_ONCE), 100.0, AT_ONCE)
    times = play_out(times, 8 * TICKS, Arrival(101.0), AT_ONCE)
    assert times.last == TICKS
    times = reconnected(times)
    assert times.anchor is None
    times = play_out(times, 3 * TICKS, Arrival(111.0), AT_ONCE)
    assert times.last == 11 * TICKS
    assert play_out(times, 4 * TICKS, Arrival(112.0), AT_ONCE).last == 12 * TICKS


def test_a_quick_new_connection_keeps_the_step() -> None:
    times = Times()
    for n in range(3):
        times = play_out(times, n * TICKS // 25, Arrival(0.0), AT_ONCE)
    assert play_out(reconnected(times), 9, Arrival(0.0), AT_ONCE).last == 3 * TICKS // 25


def test_a_frame_that_is_early_by_less_than_a_moment_is_not_waited_for() -> None:
    times = begun(Times(last=0, anchor=0), 5.0, PATIENT)
    assert early(times, 0, 5.0, PATIENT) == pytest.approx(START - HOLD)
    assert early(times, 0, 5.0 + START - HOLD, PATIENT) == pytest.approx(0, abs=1e-9)
    assert early(times, 100 * TICKS, 5.0, AT_ONCE) == 0


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 9), st.booleans()), max_size=30),
    st.booleans(),
    st.booleans(),
)
def test_every_time_is_later_than_the_one_before_and_beside_the_clock(
    frames: list[tuple[float, float, bool]], patient: bool, nominal: bool
) -> None:
    manner, times, now, before = Manner(patient, nominal), Times(), 0.0, -1
    for stamp, passed, held in frames:
        now += passed
        times = play_out(times, round(stamp * TICKS), Arrival(now, held), manner)
        assert times.last > before
        before = times.last
        if times.began is None:
            times = begun(times, now, manner)
        assert times.began is not None
        assert times.last / TICKS >= now - times.began - LATE - MOMENT
