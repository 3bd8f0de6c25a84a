from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import pairwise
from threading import Event, Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.capture.paced import Paced
from mien.capture.sequence import IndexedSource
from mien.capture.synthetic import number_of, pattern, pattern_source
from mien.clock import ManualClock, MonotonicClock
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat


def source(count: int = 25, *, sound: SoundFormat | None = None) -> IndexedSource:
    return pattern_source(96, 64, rate=25, count=count, sound=sound)


def paced(clock: ManualClock, count: int = 25, *, sound: SoundFormat | None = None, loop: bool = False) -> Paced:
    """On a clock that a wait moves."""

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    def again() -> IndexedSource:
        return source(count, sound=sound)

    return Paced(again(), clock, again=again if loop else None, wait=wait)


def frames_of(items: Iterator[Frame | Sound]) -> Iterator[Frame]:
    return (item for item in items if isinstance(item, Frame))


def test_frames_come_at_their_time() -> None:
    clock = ManualClock(7.0)
    for number, frame in enumerate(frames_of(iter(paced(clock)))):
        assert number_of(frame.pixels) == number
        assert frame.captured_at == clock.now() == pytest.approx(7 + number / 25)
        clock.advance(0.013)  # a reader that takes its time, but less than a frame
    assert clock.now() == pytest.approx(7 + 24 / 25 + 0.013)


class SlowToEnd(IndexedSource):
    """A source whose iteration takes a while to end, and which says whether it was closed meanwhile."""

    def __init__(self) -> None:
        super().__init__("slow", lambda number: pattern(96, 64, number), range(5), rate=Fraction(25))
        self.ending, self.asked, self.closing = Event(), Event(), Event()
        self.closed_meanwhile = False
        self._items = self._slowly()

    def _slowly(self) -> Generator[Frame | Sound, None, None]:
        try:
            yield from super().__iter__()
        finally:
            self.ending.set()
            self.asked.wait(10)
            self.closed_meanwhile = self.closing.wait(0.2)

    def __iter__(self) -> Iterator[Frame | Sound]:
        return self._items

    def close(self) -> None:
        self.closing.set()
        self._items.close()


def test_another_thread_may_close_it_while_its_iteration_ends() -> None:
    slow = SlowToEnd()
    playing = Paced(slow, MonotonicClock())

    def watch_one() -> None:
        for _ in playing:
            return

    watching = Thread(target=watch_one)
    watching.start()
    assert slow.ending.wait(10)

    def close() -> None:
        slow.asked.set()
        playing.close()

    closing = Thread(target=close)
    closing.start()
    for thread in (watching, closing):
        thread.join(10)
        assert not thread.is_alive()
    assert not slow.closed_meanwhile
    assert slow.closing.is_set()


def test_it_is_live() -> None:
    assert paced(ManualClock()).info.live
    assert paced(ManualClock()).info.frame_count == 25
    assert Paced(source(), ManualClock(), again=source).info.frame_count is None


def test_who_was_away_misses_what_was_to_be_seen() -> None:
    clock = ManualClock()
    playing = paced(clock, 125)
    shown = []
    for frame in frames_of(iter(playing)):
        shown.append(number_of(frame.pixels))
        if len(shown) == 10:
            clock.advance(3.0)
        assert clock.now() - frame.seconds <= 3.0
    assert shown[:10] == list(range(10))
    assert 79 <= shown[10] <= 84, "at most a fifth of a second late"
    assert shown[10:] == list(range(shown[10], 125))
    assert playing.missed == shown[10] - 10
    assert clock.now() == pytest.approx(124 / 25)


def test_a_source_slower_than_it_plays_is_not_skipped_through_for_ever() -> None:
    clock = ManualClock()

    def picture(number: int) -> NDArray[np.uint8]:
        clock.advance(0.1)
        return pattern(96, 64, number)

    slow = IndexedSource("slow", picture, range(1000), rate=Fraction(25))
    shown = list(frames_of(iter(Paced(slow, clock, wait=lambda seconds: False))))
    assert len(shown) > 30
    assert max(b.pts - a.pts for a, b in pairwise(shown)) < 100


def test_rounds_follow_each_other_without_a_gap() -> None:
    clock = ManualClock()
    sound = SoundFormat(8000, 1)
    items = []
    with paced(clock, 10, sound=sound, loop=True) as playing:
        for item in playing:
            items.append(item)
            if item.seconds >= 1.2 and isinstance(item, Frame):
                break
    frames = [item for item in items if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in frames] == [*3 * list(range(10)), 0]
    assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(31)])
    heard = [item for item in items if isinstance(item, Sound)]
    ends = [run.pts + run.samples.shape[1] for run in heard]
    assert [run.pts for run in heard] == [0, *ends[:-1]]
    assert ends[-1] == 30 * 8000 // 25


def test_sound_comes_once_it_was_heard() -> None:
    clock = ManualClock()
    for item in paced(clock, 50, sound=SoundFormat(8000, 1)):
        if isinstance(item, Sound):
            end = item.pts + item.samples.shape[1]
            assert Fraction(end, 8000) <= Fraction(clock.now()).limit_denominator(10**6) + Fraction(1, 25)


class Still(IndexedSource):
    """Pictures at 0 and 12 seconds, and 16 seconds of sound."""

    def __init__(self) -> None:
        super().__init__("still", lambda number: pattern(96, 64, number), range(2), rate=Fraction(25))

    def __iter__(self) -> Iterator[Frame | Sound]:
        format = SoundFormat(8000, 1)
        for number in range(16 * 50):
            yield Sound(np.zeros((1, 160), np.float32), number * 160, Fraction(1, 8000), format)
            if number % 600 == 0:
                yield Frame(pattern(96, 64, number // 600), number // 2, Fraction(1, 25))


def test_sound_comes_in_its_time_where_no_picture_does() -> None:
    clock = ManualClock()

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    heard = []
    for item in Paced(Still(), clock, wait=wait):
        if isinstance(item, Sound):
            heard.append(item.pts)
            assert item.seconds < clock.now() + 0.3
        else:
            assert clock.now() == pytest.approx(item.seconds)
    assert heard == [160 * number for number in range(16 * 50)]


def test_closing_ends_the_wait_of_another_thread() -> None:
    playing = Paced(pattern_source(96, 64, rate=Fraction(1, 3600), count=3), MonotonicClock())
    first = Event()

    def read() -> None:
        for _ in playing:
            first.set()

    thread = Thread(target=read)
    thread.start()
    assert first.wait(5)
    playing.close()
    thread.join(5)
    assert not thread.is_alive()
    assert list(playing) == []
