from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.pipeline.fakes import (
    FedSource,
    NotingSink,
    Portrayal,
    frame,
    sound,
    stages,
)
from tests.engine.pipeline.runs import PATIENCE, LockStep, in_lock_step, pipeline_of, run

from mien.clock import MonotonicClock
from mien.emit.mark import Marked
from mien.emit.sink import Sink
from mien.errors import BackendError, SinkError, SourceError
from mien.frame import Frame
from mien.pipeline import Stages
from mien.pipeline.controller import LatencyTarget
from mien.sound.sound import Sound


def test_every_frame_is_answered_at_its_own_time_where_there_is_time() -> None:
    source, sink = in_lock_step(*(frame(number) for number in range(100)))
    pipeline = pipeline_of(source, sink)
    run(pipeline)
    assert [shown.pts for shown in sink.frames] == list(range(100))
    assert sink.shades == list(range(100))
    assert sink.frames[7].answers is not None
    assert sink.frames[7].answers.pts == 7
    assert sink.finished
    assert not sink.discarded
    assert source.ended.is_set()
    form = pipeline.statistics.as_json()
    assert form["frames"] == {"in": 100, "out": 100, "dropped": 0, "broken": 0, "without_face": 0}
    assert list(form["stages"]) == ["capture", "parse", "motion", "reenact", "encode", "capture_to_emit"]
    assert form["live"]["received"] == {"parse": 100, "synthesis": 100, "emit": 100}
    assert form["live"]["dropped"] == {"parse": 0, "synthesis": 0, "emit": 0}
    assert (form["live"]["level"], form["live"]["cause"]) == ("full", None)
    assert form["live"]["levels"] == {"full": 1.0}


def test_the_newest_frame_wins_and_drops_are_counted_where_they_happen() -> None:
    """While frame 0 is parsed, frames 1 to 10 are captured."""
    parsing, shown = threading.Event(), threading.Event()

    def parse(given: Frame) -> int:
        if given.pts == 0:
            parsing.set()
            assert source.ended.wait(PATIENCE)
        else:
            assert shown.wait(PATIENCE)
        return given.pts

    def feed() -> None:
        assert parsing.wait(PATIENCE)
        for number in range(1, 11):
            source.feed(frame(number))
        source.end()

    source, sink = FedSource(frame(0)), NotingSink(lambda written: shown.set())
    pipeline = pipeline_of(source, sink, stages(parse=parse))
    feeder = threading.Thread(target=feed)
    feeder.start()
    run(pipeline)
    feeder.join()
    assert [written.pts for written in sink.frames] == [0, 10]
    form = pipeline.statistics.as_json()
    assert form["live"]["dropped"] == {"parse": 9, "synthesis": 0, "emit": 0}
    assert form["frames"]["dropped"] == 9


def test_parsing_goes_on_while_a_frame_is_synthesised() -> None:
    second_is_parsed = threading.Event()

    def parse(shown: Frame) -> int:
        if shown.pts == 1:
            second_is_parsed.set()
        return shown.pts

    def make(motion: Any, shown: Frame, paint: str) -> Any:
        if shown.pts == 0:
            source.feed(frame(1))
            source.end()
            assert second_is_parsed.wait(PATIENCE), "frame 1 was not parsed while frame 0 was synthesised"
        return shown.pixels

    source = FedSource(frame(0))
    run(pipeline_of(source, NotingSink(), stages(Portrayal(make=make), parse=parse)))


def _fail(*arguments: Any) -> Any:
    raise ZeroDivisionError("planned")


@pytest.mark.parametrize(
    "given",
    [lambda: stages(parse=_fail), lambda: stages(motion=_fail), lambda: stages(Portrayal(make=_fail))],
    ids=["parse", "motion", "synthesis"],
)
def test_a_failing_stage_stops_all_and_discards(given: Callable[[], Stages[Any, Any]]) -> None:
    source, sink = FedSource(frame(0)), NotingSink()
    with pytest.raises(ZeroDivisionError, match="planned"):
        run(pipeline_of(source, sink, given()))
    assert sink.discarded
    assert not sink.finished
    assert source.ended.is_set()


def test_a_failing_sink_stops_all_and_discards() -> None:
    def on_write(shown: Frame) -> None:
        raise SinkError("full")

    source, sink = FedSource(frame(0)), NotingSink(on_write)
    with pytest.raises(SinkError, match="full"):
        run(pipeline_of(source, sink))
    assert sink.discarded


def test_a_source_that_breaks_off_is_told_but_what_was_written_is_finished() -> None:
    source, sink = in_lock_step(frame(0), frame(1))
    source.feed(SourceError("camera: unplugged"))
    with pytest.raises(SourceError, match="unplugged"):
        run(pipeline_of(source, sink))
    assert sink.finished
    assert not sink.discarded


def _endless(then: Callable[[Frame], None]) -> tuple[FedSource, NotingSink]:
    """In lock-step for ever; `then` is told each frame that was written."""
    source = FedSource()
    feed = LockStep(source, map(frame, itertools.count()))

    def on_write(written: Frame) -> None:
        then(written)
        feed(written)

    return source, NotingSink(on_write)


def test_stop_finishes_in_order() -> None:
    source, sink = _endless(lambda written: pipeline.stop() if written.pts == 5 else None)
    portrayal = Portrayal()
    pipeline = pipeline_of(source, sink, stages(portrayal))
    run(pipeline)
    assert sink.finished
    assert not sink.discarded
    assert [written.pts for written in sink.frames][:6] == list(range(6))
    assert source.ended.is_set()
    assert portrayal.closed == 1


def test_cancelling_leaves_nothing_running_and_discards() -> None:
    portrayal = Portrayal()

    async def main() -> tuple[FedSource, NotingSink]:
        loop = asyncio.get_running_loop()

        def cancel(written: Frame) -> None:
            loop.call_soon_threadsafe(running.cancel)

        source, sink = _endless(cancel)
        running = asyncio.create_task(pipeline_of(source, sink, stages(portrayal)).run())
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, PATIENCE)
        return source, sink

    source, sink = asyncio.run(main())
    assert sink.discarded
    assert not sink.finished
    assert source.ended.is_set()
    assert portrayal.closed == 1


def test_where_a_worker_cannot_be_started_all_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "mien-emit":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    source, sink, portrayal = FedSource(frame(0)), NotingSink(), Portrayal()
    with pytest.raises(BackendError, match="new thread"):
        run(pipeline_of(source, sink, stages(portrayal)))
    assert sink.discarded
    assert source.ended.is_set()
    assert portrayal.closed == 1


@pytest.mark.parametrize("wrapped", [lambda sink: sink, Marked], ids=["bare", "marked"])
def test_what_source_and_sink_left_out_is_counted(wrapped: Callable[[Sink], Sink]) -> None:
    class Slow(NotingSink):
        dropped = 7

    class Skipping(FedSource):
        missed = 5

    source = Skipping(frame(0))
    source.end()
    pipeline = pipeline_of(source, wrapped(Slow()))
    run(pipeline)
    told = pipeline.statistics.as_json()["live"]
    assert (told["missed"], told["sink_dropped"]) == (5, 7)


@pytest.mark.parametrize("wrapped", [lambda sink: sink, Marked], ids=["bare", "marked"])
def test_a_window_that_the_user_closes_ends_the_run(wrapped: Callable[[Sink], Sink]) -> None:
    source, sink = _endless(lambda written: setattr(sink, "gone", written.pts >= 3))
    run(pipeline_of(source, wrapped(sink)))
    assert sink.finished


def test_starts_and_stops_leave_threads_and_descriptors_as_they_were() -> None:
    descriptors = Path("/proc/self/fd")

    def once(number: int) -> None:
        source, sink = in_lock_step(*(frame(i) for i in range(number % 5)))
        if number % 3 == 0:
            source.feed(ZeroDivisionError("planned"))
        try:
            run(pipeline_of(source, sink))
        except ZeroDivisionError:
            assert sink.discarded

    once(1)
    threads = threading.active_count()
    opened = len(list(descriptors.iterdir())) if descriptors.exists() else 0
    for number in range(40):
        once(number)
    assert threading.active_count() == threads
    assert not descriptors.exists() or len(list(descriptors.iterdir())) == opened


def test_sound_reaches_the_sink_in_order_and_whole() -> None:
    items = [sound(0), frame(0), sound(1), frame(1), sound(2), sound(3), frame(2), sound(4)]
    source, sink = in_lock_step(*items)
    run(pipeline_of(source, sink))
    assert [item.pts for item in sink.sounds] == [sound(number).pts for number in range(5)]


class Spoken:
    """A microphone that gives what it was told, and then ends or waits until it is closed."""

    def __init__(self, *runs: Sound, ends: bool) -> None:
        self._runs = runs
        self._closed = threading.Event()
        if ends:
            self._closed.set()

    def __iter__(self) -> Iterator[Sound]:
        yield from self._runs
        assert self._closed.wait(PATIENCE)

    def close(self) -> None:
        self._closed.set()


@pytest.mark.parametrize("ends", [False, True])
def test_a_microphone_that_ends_is_told_and_the_picture_goes_on(ends: bool) -> None:
    told: list[str] = []
    numbers = itertools.count(1)

    def on_write(shown: Frame) -> None:
        told.extend(pipeline.controls.notices)
        if (told or not ends) and shown.pts > 3:
            source.end()
        else:
            source.feed(frame(next(numbers)))

    source, sink = FedSource(frame(0)), NotingSink(on_write)
    pipeline = pipeline_of(source, sink, microphone=Spoken(sound(0), ends=ends))
    run(pipeline)
    assert bool(told) == ends
    assert not told or "there is no more sound" in told[0]
    assert sink.finished


def test_the_best_level_is_the_chains_own() -> None:
    source, sink = in_lock_step(frame(0), frame(1))
    portrayal = Portrayal(best=2)
    pipeline = pipeline_of(source, sink, stages(portrayal), target=LatencyTarget())
    run(pipeline)
    assert portrayal.asked == ["off", "off"]
    assert pipeline.statistics.as_json()["live"]["levels"] == {"warp": 1.0}


def test_the_event_loop_is_free_while_frames_are_made() -> None:
    """A worker waits for something that only the event loop gives."""
    given = threading.Event()

    def make(motion: Any, shown: Frame, paint: str) -> Any:
        assert given.wait(PATIENCE)
        return shown.pixels

    source, sink = FedSource(frame(0)), NotingSink()
    source.end()
    pipeline = pipeline_of(source, sink, stages(Portrayal(make=make)), clock=MonotonicClock())

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, given.set)
        await asyncio.wait_for(pipeline.run(), PATIENCE)

    asyncio.run(main())
    assert len(sink.frames) == 1
