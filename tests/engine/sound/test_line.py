"""Sound is held back by as long as its picture takes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.sound.delay import MARGIN, RATE, RUN, Listener, SoundLine

STEP = RUN / RATE
BEEP = 0.5
"""Seconds between two beeps of 20 ms."""


def tone(first: int, count: int = RUN) -> NDArray[np.float32]:
    """(2, count): 1 during a beep, 0 else."""
    at = first + np.arange(count)
    beeps = (at % round(BEEP * RATE) < RUN).astype(np.float32)
    return np.repeat(beeps[None], 2, axis=0)


def play(
    line: SoundLine,
    seconds: float,
    *,
    video_delay: float,
    sound_delay: float = 0.02,
    burst: int = 1,
    begun: float = 0.0,
    place: Listener | None = None,
) -> NDArray[np.float32]:
    """What is heard, 20 ms a row, while pictures of the same line are shown `video_delay` after their time."""
    heard, place = [], place or Listener()
    for number in range(round(seconds / STEP)):
        now = begun + number * STEP
        line.show(now - video_delay, now)
        if number % burst == burst - 1:
            first = number - burst + 1
            at = begun + first * STEP - sound_delay
            line.write(tone(round(at * RATE), RUN * burst), at, now)
        run = line.read(place, now)
        heard.append(np.zeros(RUN, np.float32) if run is None else run[0])
    return np.concatenate(heard)


def beeps(heard: NDArray[np.float32], begun: float = 0.0) -> list[float]:
    """When each beep begins."""
    loud = heard > 0.5
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    return [begun + start / RATE for start in starts]


@pytest.mark.parametrize("delay", [0.06, 0.12, 0.5])
def test_a_beep_is_heard_when_its_picture_is_shown(delay: float) -> None:
    heard = play(SoundLine(), 4.0, video_delay=delay)
    late = [at - delay - round((at - delay) / BEEP) * BEEP for at in beeps(heard) if at > 1.0]
    assert len(late) > 3
    assert all(abs(one) <= 0.006 for one in late)


def test_sound_that_is_later_than_its_picture_is_played_as_soon_as_it_is_whole() -> None:
    heard = play(SoundLine(), 4.0, video_delay=0.01, sound_delay=0.1)
    late = [at - 0.1 - MARGIN - round((at - 0.1 - MARGIN) / BEEP) * BEEP for at in beeps(heard) if at > 1.0]
    assert all(abs(one) <= 0.006 for one in late)


def test_bursts_are_evened_out() -> None:
    heard = play(SoundLine(), 4.0, video_delay=0.15, burst=3)
    steady = heard[RATE:]
    assert len(beeps(steady)) == pytest.approx(3.0 / BEEP, abs=1)
    lengths = np.diff(np.flatnonzero(np.diff((steady > 0.5).astype(int)) != 0))[::2]
    assert all(abs(int(length) - RUN) < 0.1 * RUN or length > 10 * RUN for length in lengths)


def test_a_delay_that_changes_is_followed() -> None:
    line, place = SoundLine(), Listener()
    play(line, 2.0, video_delay=0.1, place=place)
    heard = play(line, 3.0, video_delay=0.3, begun=2.0, place=place)
    late = [at - 0.3 - round((at - 0.3) / BEEP) * BEEP for at in beeps(heard, 2.0) if at > 3.0]
    assert late
    assert all(abs(one) <= 0.006 for one in late)


def test_a_single_late_run_holds_back_nothing() -> None:
    line, place = SoundLine(), Listener()
    play(line, 2.0, video_delay=0.1, place=place)
    line.write(tone(round((2.0 - STEP) * RATE)), 2.0 - STEP, 2.5)  # half a second late
    heard = play(line, 1.0, video_delay=0.1, begun=2.0, place=place)
    late = [at - 0.1 - round((at - 0.1) / BEEP) * BEEP for at in beeps(heard, 2.0)]
    assert late
    assert all(abs(one) <= 0.006 for one in late)


def test_two_readers_hear_the_same() -> None:
    line, first, second = SoundLine(), Listener(), Listener()
    for number in range(100):
        now = number * STEP
        line.show(now - 0.1, now)
        line.write(tone(number * RUN), now - 0.02, now)
        one, other = line.read(first, now), line.read(second, now)
        assert one is not None
        assert other is not None
        assert np.array_equal(one, other)


def test_without_sound_there_is_nothing() -> None:
    line = SoundLine()
    line.show(0.0, 0.1)
    assert line.read(Listener(), 0.1) is None


def test_sound_that_ended_is_silence_and_then_nothing() -> None:
    line, place = SoundLine(), Listener()
    line.write(np.ones((2, RUN), np.float32), 0.0, 0.0)
    line.show(0.0, 0.0)
    line.read(place, 0.0)
    line.read(place, 0.5)
    quiet = line.read(place, 0.52)
    assert quiet is not None
    assert not quiet.any()
    assert line.read(place, 3.0) is None


def test_a_line_that_begins_anew_is_followed() -> None:
    line, place = SoundLine(), Listener()
    play(line, 2.0, video_delay=0.1, begun=1000.0, place=place)
    heard = play(line, 3.0, video_delay=0.1, begun=0.0, place=Listener())
    late = [at - 0.1 - round((at - 0.1) / BEEP) * BEEP for at in beeps(heard) if at > 1.5]
    assert late
    assert all(abs(one) <= 0.006 for one in late)


def test_a_gap_is_silence() -> None:
    line, place = SoundLine(), Listener()
    line.show(0.0, 0.1)
    line.write(np.ones((2, RUN), np.float32), 0.0, 0.0)
    line.write(np.ones((2, RUN), np.float32), 3 * STEP, 3 * STEP)
    heard = [line.read(place, 0.1 + number * STEP) for number in range(4)]
    levels = [0.0 if run is None else float(run.mean()) for run in heard]
    assert levels == pytest.approx([1, 0, 0, 1], abs=0.05)
