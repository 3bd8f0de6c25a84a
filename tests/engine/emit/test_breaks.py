"""Sinks that break off and come back, and sinks that hold nobody up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event

import pytest

from mien.capture.synthetic import number_of, pattern_source
from mien.clock import ManualClock
from mien.emit.reconnecting import ReconnectingSink
from mien.emit.sink import MemorySink, Sink
from mien.emit.threaded import ThreadedSink
from mien.errors import SinkError
from mien.frame import Frame
from mien.retry import Retry

LIMIT = 10.0


class Breaking(MemorySink):
    """Fails from a frame on."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good = good
        self.discarded = False

    def write(self, frame: Frame) -> None:
        if len(self.frames) >= self.good:
            raise SinkError("out: broke")
        super().write(frame)

    def discard(self) -> None:
        self.discarded = True


def frames(count: int) -> Iterator[Frame]:
    for item in pattern_source(96, 64, rate=10, count=count):
        assert isinstance(item, Frame)
        yield item


def test_what_broke_off_is_opened_anew_after_a_while() -> None:
    clock, told, opened = ManualClock(), list[str](), list[Breaking]()

    def opening() -> Sink:
        if len(opened) in (1, 2):
            opened.append(Breaking(0))
            raise SinkError("out: nobody there")
        opened.append(Breaking(20))
        return opened[-1]

    sink = ReconnectingSink(opening, "out", clock=clock, retry=Retry(1, 2, 8), told=told.append)
    for frame in frames(100):
        sink.write(frame)
        clock.advance(0.1)
    first, last = opened[0], opened[3]
    assert first.discarded
    assert len(first.frames) == 20
    # broken at 2 s; tried in vain after 1 and 2 seconds more, and again after 4
    assert number_of(last.frames[0].pixels) == pytest.approx(90, abs=3)
    assert last.frames[0].pts == 0, "a new connection has a time of its own"
    assert told == ["out: broke; it is tried again", "out: is back"]


def test_without_patience_a_break_is_the_end() -> None:
    sink = ReconnectingSink(
        lambda: Breaking(2), "out", clock=ManualClock(), retry=Retry(patience=0), told=lambda line: None
    )
    with pytest.raises(SinkError, match="out: broke"):
        for frame in frames(10):
            sink.write(frame)


class Held(MemorySink):
    """Takes its first frame only once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.let_go = Event(), Event()

    def write(self, frame: Frame) -> None:
        self.taken.set()
        assert self.let_go.wait(LIMIT)
        super().write(frame)


def test_what_is_broken_at_the_end_is_told() -> None:
    sink = ReconnectingSink(lambda: Breaking(2), "out", clock=ManualClock(), retry=Retry(1), told=lambda line: None)
    with pytest.raises(SinkError, match="out: broke; it was not back by the end"), sink:
        for frame in frames(5):
            sink.write(frame)


class Stalled(Held):
    """Takes no frame until it is stopped, which is an error then."""

    def write(self, frame: Frame) -> None:
        super().write(frame)
        raise SinkError("out: it was stopped")

    def stop(self) -> None:
        self.let_go.set()


def test_a_stalled_sink_aside_is_stopped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.emit.threaded.ENDING", 0.05)
    monkeypatch.setattr("mien.emit.threaded.STOPPING", 0.05)
    stalled, told = Stalled(), list[str]()
    sink = ThreadedSink(
        lambda: ReconnectingSink(lambda: stalled, "out", clock=ManualClock(), retry=Retry(1), told=told.append), "out"
    )
    with pytest.raises(SinkError, match="the end of the stream was not delivered"), sink:
        for frame in frames(1):
            sink.write(frame)
        assert stalled.taken.wait(LIMIT)
    sink._thread.join(LIMIT)
    assert not sink._thread.is_alive()
    assert told == [], "nothing is tried again"


def test_a_sink_aside_holds_nobody_up_and_keeps_the_newest() -> None:
    held = Held()
    sink = ThreadedSink(lambda: held, "out")
    with sink:
        for number, frame in enumerate(frames(30)):
            sink.write(frame)
            assert number > 0 or held.taken.wait(LIMIT)
        held.let_go.set()
    assert [number_of(frame.pixels) for frame in held.frames] == [0, 26, 27, 28, 29]
    assert sink.dropped == 25
    assert held.finished


def test_the_error_of_a_sink_aside_comes_with_the_next_call() -> None:
    broken = Breaking(0)
    sink = ThreadedSink(lambda: broken, "out")
    deadline = time.monotonic() + LIMIT
    with pytest.raises(SinkError, match="out: broke"):
        while time.monotonic() < deadline:
            for frame in frames(1):
                sink.write(frame)
    sink.discard()
    assert broken.discarded


def test_a_sink_that_does_not_open_is_told_at_once() -> None:
    def opening() -> Sink:
        raise SinkError("out: nobody there")

    with pytest.raises(SinkError, match="nobody there"):
        ThreadedSink(opening, "out")


def test_discarding_a_sink_aside_discards_it() -> None:
    breaking = Breaking(5)
    with pytest.raises(RuntimeError), ThreadedSink(lambda: breaking, "out"):
        raise RuntimeError
    assert breaking.discarded
    assert not breaking.finished


def test_discarding_does_not_wait_for_ever() -> None:
    held = Held()
    sink = ThreadedSink(lambda: held, "out")
    for frame in frames(5):
        sink.write(frame)
    assert held.taken.wait(LIMIT)
    began = time.monotonic()
    sink.discard(wait=0.05)
    assert time.monotonic() - began < 1
    held.let_go.set()
