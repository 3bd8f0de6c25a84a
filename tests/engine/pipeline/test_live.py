from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine.pipeline.fakes import (
    SLATES,
    FedSource,
    NotingSink,
    Portrayal,
    frame,
    sound,
    stages,
    statistics,
)

from mien.clock import Clock, ManualClock, MonotonicClock
from mien.controller import Target
from mien.emit.mark import Marked
from mien.emit.sink import Sink
from mien.errors import SinkError, SourceError
from mien.frame import Frame
from mien.pipeline.chain import Chain
from mien.pipeline.follower import LiveStages
from mien.pipeline.live import LivePipeline
from mien.sound import Sound

PATIENCE = 10.0  # seconds until a hung thread fails the test; no passing test waits for it


def _pipeline(
    source: FedSource,
    sink: Sink,
    given: LiveStages[Any, Any] | None = None,
    clock: Clock | None = None,
    **others: Any,
) -> LivePipeline[Any, Any]:
    made = statistics()
    return LivePipeline(
        source, given or stages(), sink, SLATES, statistics=made, clock=clock or ManualClock(), **others
    )


def _run(pipeline: LivePipeline[Any, Any]) -> None:
    asyncio.run(asyncio.wait_for(pipeline.run(), PATIENCE))


class LockStep:
    """A sink's `on_write` that feeds the next frame when one was written, so that none is dropped."""

    def __init__(self, source: FedSource, items: Iterator[Any]) -> None:
        self._source = source
        self._items = items
        self.feed()

    def __call__(self, written: Frame) -> None:
        self.feed()

    def feed(self) -> None:
        for item in self._items:
            self._source.feed(item)
            if isinstance(item, Frame):
                return
        self._source.end()


def _in_lock_step(*items: Any) -> tuple[FedSource, NotingSink]:
    source = FedSource()
    return source, NotingSink(LockStep(source, iter(items)))


def test_every_frame_is_answered_at_its_own_time_where_there_is_time() -> None:
    source, sink = _in_lock_step(*(frame(number) for number in range(100)))
    pipeline = _pipeline(source, sink)
    _run(pipeline)
    assert [shown.pts for shown in sink.frames] == list(range(100))
    assert sink.shades == list(range(100))
    assert sink.frames[7].answers is not None
    assert sink.frames[7].answers.pts == 7
    assert sink.finished
    assert not sink.discarded
    assert source.ended.is_set()
    form = pipeline.statistics.as_json()
    assert form["frames"] == {"in": 100, "out": 100, "dropped": 0, "broken": 0, "without_face": 0}
    assert list(form["stages"]) == ["capture", "parse", "motion", "reenact", "fuse", "encode", "capture_to_emit"]
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
    pipeline = _pipeline(source, sink, stages(parse=parse))
    feeder = threading.Thread(target=feed)
    feeder.start()
    _run(pipeline)
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
    _run(_pipeline(source, NotingSink(), stages(Portrayal(make=make), parse=parse)))


def _fail(*arguments: Any) -> Any:
    raise ZeroDivisionError("planned")


@pytest.mark.parametrize(
    "given",
    [lambda: stages(parse=_fail), lambda: stages(motion=_fail), lambda: stages(Portrayal(make=_fail))],
    ids=["parse", "motion", "synthesis"],
)
def test_a_failing_stage_stops_all_and_discards(given: Callable[[], LiveStages[Any, Any]]) -> None:
    source, sink = FedSource(frame(0)), NotingSink()
    with pytest.raises(ZeroDivisionError, match="planned"):
        _run(_pipeline(source, sink, given()))
    assert sink.discarded
    assert not sink.finished
    assert source.ended.is_set()


def test_a_failing_sink_stops_all_and_discards() -> None:
    def on_write(shown: Frame) -> None:
        raise SinkError("full")

    source, sink = FedSource(frame(0)), NotingSink(on_write)
    with pytest.raises(SinkError, match="full"):
        _run(_pipeline(source, sink))
    assert sink.discarded


def test_a_source_that_breaks_off_is_told_but_what_was_written_is_finished() -> None:
    source, sink = _in_lock_step(frame(0), frame(1))
    source.feed(SourceError("camera: unplugged"))
    with pytest.raises(SourceError, match="unplugged"):
        _run(_pipeline(source, sink))
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
    pipeline = _pipeline(source, sink, stages(portrayal))
    _run(pipeline)
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
        running = asyncio.create_task(_pipeline(source, sink, stages(portrayal)).run())
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
    with pytest.raises(RuntimeError, match="new thread"):
        _run(_pipeline(source, sink, stages(portrayal)))
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
    pipeline = _pipeline(source, wrapped(Slow()))
    _run(pipeline)
    told = pipeline.statistics.as_json()["live"]
    assert (told["missed"], told["sink_dropped"]) == (5, 7)


@pytest.mark.parametrize("wrapped", [lambda sink: sink, Marked], ids=["bare", "marked"])
def test_a_window_that_the_user_closes_ends_the_run(wrapped: Callable[[Sink], Sink]) -> None:
    source, sink = _endless(lambda written: setattr(sink, "gone", written.pts >= 3))
    _run(_pipeline(source, wrapped(sink)))
    assert sink.finished


def test_starts_and_stops_leave_threads_and_descriptors_as_they_were() -> None:
    descriptors = Path("/proc/self/fd")

    def once(number: int) -> None:
        source, sink = _in_lock_step(*(frame(i) for i in range(number % 5)))
        if number % 3 == 0:
            source.feed(ZeroDivisionError("planned"))
        try:
            _run(_pipeline(source, sink))
        except ZeroDivisionError:
            assert sink.discarded

    once(1)
    threads = threading.active_count()
    opened = len(list(descriptors.iterdir())) if descriptors.exists() else 0
    for number in range(40):
        once(number)
    assert threading.active_count() == threads
    assert not descriptors.exists() or len(list(descriptors.iterdir())) == opened


def test_a_portrait_is_swapped_in_between_two_frames() -> None:
    first, second = Portrayal(), Portrayal(shade=100)
    swapped: list[Future[Chain]] = []
    items = (frame(number) for number in range(20))

    def on_write(shown: Frame) -> None:
        if shown.pts == 9:
            swapped.append(pipeline.swap(second.chain))
        lock_step(shown)

    source = FedSource()
    sink = NotingSink(on_write)
    pipeline = _pipeline(source, sink, stages(first))
    lock_step = LockStep(source, items)
    _run(pipeline)
    assert sink.shades == [*range(10), *range(110, 120)]
    swapped[0].result(PATIENCE).close()
    assert (first.closed, second.closed) == (1, 1)
    assert pipeline.statistics.as_json()["live"]["swaps"] == 1


def test_a_swap_that_comes_too_late_gives_its_chain_back() -> None:
    source, sink = _in_lock_step(frame(0))
    pipeline = _pipeline(source, sink)
    _run(pipeline)
    late = Portrayal()
    pipeline.swap(late.chain).result(PATIENCE).close()
    assert late.closed == 1


def test_panic_takes_effect_with_the_very_next_frame() -> None:
    items = (frame(number) for number in range(20))

    def on_write(shown: Frame) -> None:
        if shown.pts == 4:
            pipeline.controls.panic = True
        if shown.pts == 8:
            pipeline.controls.panic = False
        lock_step(shown)

    source = FedSource()
    sink = NotingSink(on_write)
    pipeline = _pipeline(source, sink)
    lock_step = LockStep(source, items)
    _run(pipeline)
    assert sink.shades == [0, 1, 2, 3, 4, 77, 77, 77, 77, *range(9, 20)]
    assert pipeline.statistics.as_json()["live"]["slates"] == 4


def test_panic_also_hides_what_was_on_its_way() -> None:
    """The picture is made before the key is pressed, and written after."""
    made, pressed = threading.Event(), threading.Event()

    def make(motion: Any, shown: Frame, paint: str) -> Any:
        pixels = np.full_like(SLATES.panic, 200)
        made.set()
        assert pressed.wait(PATIENCE)
        return pixels

    source, sink = FedSource(frame(0)), NotingSink()
    source.end()
    pipeline = _pipeline(source, sink, stages(Portrayal(make=make)))

    def press() -> None:
        assert made.wait(PATIENCE)
        pipeline.controls.panic = True
        pressed.set()

    presser = threading.Thread(target=press)
    presser.start()
    _run(pipeline)
    presser.join()
    assert sink.shades == [77]


def test_sound_reaches_the_sink_in_order_and_whole() -> None:
    items = [sound(0), frame(0), sound(1), frame(1), sound(2), sound(3), frame(2), sound(4)]
    source, sink = _in_lock_step(*items)
    _run(_pipeline(source, sink))
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
    pipeline = _pipeline(source, sink, microphone=Spoken(sound(0), ends=ends))
    _run(pipeline)
    assert bool(told) == ends
    assert not told or "there is no more sound" in told[0]
    assert sink.finished


def test_the_best_level_is_the_chains_own() -> None:
    source, sink = _in_lock_step(frame(0), frame(1))
    portrayal = Portrayal(best=2)
    pipeline = _pipeline(source, sink, stages(portrayal), target=Target())
    _run(pipeline)
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
    pipeline = _pipeline(source, sink, stages(Portrayal(make=make)), clock=MonotonicClock())

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, given.set)
        await asyncio.wait_for(pipeline.run(), PATIENCE)

    asyncio.run(main())
    assert len(sink.frames) == 1
