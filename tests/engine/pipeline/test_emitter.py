"""What is shown when nothing comes, or something else than what came."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from tests.engine.pipeline.fakes import (
    INTERVAL,
    PANIC_SHADE,
    SLATES,
    STALLED_SHADE,
    TIME_BASE,
    NotingSink,
    frame,
    sound,
    statistics,
)

from mien.clock import ManualClock
from mien.emit.sink import MemorySink
from mien.errors import SinkError
from mien.frame import Frame
from mien.pipeline.controller import LEVELS, LatencyTarget
from mien.pipeline.controls import Controls
from mien.pipeline.emitter import DEPTH, HOLD_AFTER, SLATE_AFTER, Emitter
from mien.pipeline.governor import SETTLING, Governor
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.steps import Answered, Captured


class Bench:
    """An emitter whose time stands still until it is told to move."""

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.statistics = statistics(self.clock)
        self.counters = self.statistics.live
        self.controls = Controls()
        self.governor = Governor(LatencyTarget(), self.counters)
        self.sound = SoundWay(self.counters)
        self.sink = NotingSink()
        self.emitter = Emitter(
            self.sink, SLATES, self.governor, self.controls, self.sound, self.statistics, self.clock, 25.0
        )

    def answer(self, number: int, latency: float = 0.03, level: int = 0, held: bool = False) -> None:
        """A frame that was captured `latency` seconds ago comes."""
        captured = frame(number, captured_at=self.clock.now() - latency)
        answer, travelled = captured.answer(captured.pixels), Captured(captured, number, INTERVAL)
        self.emitter.emit(Answered(answer, travelled, level, 0.02, held))

    def nothing_for(self, seconds: float) -> list[int]:
        """The shades of what is shown while no frame comes, looked after as often as the worker does."""
        before = len(self.sink.frames)
        for _ in range(round(seconds / INTERVAL)):
            self.clock.advance(INTERVAL)
            self.emitter.idle()
        return self.sink.shades[before:]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_short_gap_shows_nothing_new(bench: Bench) -> None:
    bench.answer(5)
    assert bench.nothing_for(HOLD_AFTER - INTERVAL) == []


def test_a_stalled_source_shows_the_last_picture_then_the_slate_then_pictures_again(bench: Bench) -> None:
    bench.answer(5)
    shown = bench.nothing_for(4.0)
    held, slates = shown.count(5), shown.count(STALLED_SHADE)
    assert shown == [5] * held + [STALLED_SHADE] * slates
    assert held == pytest.approx((SLATE_AFTER - HOLD_AFTER) / INTERVAL, abs=1)
    assert slates == pytest.approx((4.0 - SLATE_AFTER) / INTERVAL, abs=1)
    bench.clock.advance(INTERVAL)
    bench.answer(106)
    assert bench.sink.shades[-1] == 106
    times = [shown.pts for shown in bench.sink.frames]
    assert all(a < b for a, b in pairwise(times))
    assert times == pytest.approx([5, *range(18, 106), 106], abs=1), "time goes on as the clock does"
    assert (bench.counters.held, bench.counters.slates) == (len(shown), slates)


def test_where_the_source_goes_on_but_nothing_is_made_of_it_the_picture_stays(bench: Bench) -> None:
    bench.answer(5)
    shown = []
    for _ in range(100):
        bench.counters.seen_at = bench.clock.now()
        shown += bench.nothing_for(INTERVAL)
    assert set(shown) == {5}
    assert not bench.counters.stalled


def test_before_the_first_picture_nothing_is_shown(bench: Bench) -> None:
    assert bench.nothing_for(5.0) == []


def test_panic_shows_the_slate_though_the_source_stands_still(bench: Bench) -> None:
    bench.answer(5)
    bench.controls.panic = True
    bench.clock.advance(INTERVAL)
    bench.emitter.idle()
    assert bench.sink.shades == [5, PANIC_SHADE]


def test_after_panic_the_picture_of_now_is_shown_and_none_of_meanwhile(bench: Bench) -> None:
    bench.controls.panic = True
    for number in range(5):
        bench.clock.advance(INTERVAL)
        bench.answer(number)
    bench.controls.panic = False
    bench.clock.advance(INTERVAL)
    bench.answer(5)
    assert bench.sink.shades == [PANIC_SHADE] * 5 + [5]


def test_a_slate_between_pictures_with_alpha_is_opaque(bench: Bench) -> None:
    pixels = np.zeros((*SLATES.panic.shape[:2], 4), np.uint8)
    shown = Frame(pixels, 0, TIME_BASE, captured_at=100.0, layout="rgba")
    bench.controls.panic = True
    bench.emitter.emit(Answered(shown, Captured(shown, 0, INTERVAL), 0, 0.0))
    assert bench.sink.frames[0].layout == "rgba"
    assert (bench.sink.frames[0].pixels == [PANIC_SHADE, PANIC_SHADE, PANIC_SHADE, 255]).all()


def test_what_is_late_and_lost_reaches_the_controller_and_the_statistics(bench: Bench) -> None:
    for number in range(0, 2 * (SETTLING + 10), 2):
        bench.clock.advance(2 * INTERVAL)
        bench.answer(number, latency=0.06)
    assert LEVELS[bench.governor.level] != "full", "every second frame was lost"
    summary = bench.statistics.latencies()["capture_to_emit"]
    assert summary.p50 == pytest.approx(60.0, rel=0.02)


def test_sound_stays_where_it_is_while_pictures_are_held(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A held picture is there at once; sound that followed it would be as early as it can, and then late again."""
    shown: list[float] = []
    monkeypatch.setattr(bench.sound, "show", shown.append)
    for number, held in enumerate([False, True, True, False]):
        bench.answer(number, latency=0.001 if held else 0.08, held=held)
        bench.clock.advance(INTERVAL)
    assert shown == [pytest.approx(0.08)] * 2


def test_the_first_frames_say_nothing_about_the_machine(bench: Bench) -> None:
    for number in range(SETTLING):
        bench.clock.advance(INTERVAL)
        bench.answer(number, latency=2.0)
    assert bench.governor.level == 0


def test_a_recording_beside_gets_what_is_shown_also_the_slate(bench: Bench) -> None:
    recorded = MemorySink()
    bench.answer(0)
    bench.controls.recording = lambda: recorded
    bench.answer(1)
    bench.sound.hear(sound(1), 100.0)
    bench.controls.panic = True
    bench.answer(2)
    bench.controls.recording, bench.controls.panic = None, False
    bench.answer(3)
    bench.emitter.end()
    assert [int(shown.pixels[0, 0, 0]) for shown in recorded.frames] == [1, PANIC_SHADE]
    assert len(recorded.sounds) == 1
    assert recorded.finished
    assert bench.sink.shades == [0, 1, PANIC_SHADE, 3]


def test_a_recording_that_cannot_be_made_is_told_and_the_rest_goes_on(bench: Bench) -> None:
    def opened() -> MemorySink:
        raise SinkError("out.mp4: expected room for the output, got none")

    bench.controls.recording = opened
    bench.answer(0)
    bench.answer(1)
    bench.emitter.end()
    assert bench.sink.shades == [0, 1]
    assert list(bench.controls.notices) == ["out.mp4: expected room for the output, got none"]


@pytest.mark.parametrize("error", [SinkError("full"), ValueError("another format")])
def test_a_recording_that_has_failed_is_wished_no_more(bench: Bench, error: Exception) -> None:
    """So that nobody is told that it goes on."""
    failed = threading.Event()

    class Failing(MemorySink):
        def write(self, frame: Frame) -> None:
            raise error

        def discard(self) -> None:
            failed.set()

    bench.controls.recording = Failing
    bench.answer(0)
    assert failed.wait(10.0)
    number = 0
    while bench.controls.recording is not None:  # until its thread has ended
        number += 1
        bench.answer(number)
    assert str(error) in bench.controls.notices[0]
    assert bench.sink.shades == [n % 250 for n in range(number + 1)]


def test_another_recording_takes_the_place_of_the_first(bench: Bench) -> None:
    first, second = MemorySink(), MemorySink()
    bench.controls.recording = lambda: first
    bench.answer(0)
    bench.controls.recording = lambda: second
    bench.answer(1)
    bench.emitter.end()
    assert [len(first.frames), len(second.frames)] == [1, 1]
    assert first.finished
    assert second.finished


def test_a_slow_recording_loses_frames_and_never_holds_up_the_sink(bench: Bench) -> None:
    go_on = threading.Event()

    class Slow(MemorySink):
        def write(self, frame: Frame) -> None:
            assert go_on.wait(10.0)

    bench.controls.recording = Slow
    for number in range(DEPTH + 20):
        bench.answer(number)
    assert len(bench.sink.frames) == DEPTH + 20
    assert 18 <= bench.counters.recording_dropped <= 20  # one is being written
    go_on.set()
    bench.emitter.end()
