from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest

from mien.capture.source import SourceInfo
from mien.clock import ManualClock
from mien.errors import FaceError, SinkError, SourceError
from mien.frame import Frame
from mien.pipeline import DEPTH, Stages, render, stream
from mien.pipeline.chain import SingleStage
from mien.sound.sound import Sound, SoundFormat
from mien.stats import Statistics

PATIENCE = 10.0  # seconds until a hung thread fails the test; no passing test waits for it
TIME_BASE = Fraction(1, 25)
SOUND = SoundFormat(rate=48000, channels=1)
INFO = SourceInfo("fake", 4, 2, Fraction(25), TIME_BASE, None, None, seekable=False, live=False, sound=SOUND)


def _frame(number: int) -> Frame:
    return Frame(np.full((2, 4, 3), number % 256, np.uint8), pts=number, time_base=TIME_BASE)


def _sound(number: int) -> Sound:
    return Sound(np.zeros((1, 1920), np.float32), pts=number, time_base=TIME_BASE, format=SOUND)


@dataclass
class FakeSource:
    """A given run of frames and sounds, after which `error` is raised, if any."""

    items: Iterator[Frame | Sound]
    error: BaseException | None = None
    broken_frames: int = 0
    warnings: tuple[str, ...] = ()
    closed: bool = False

    @property
    def info(self) -> SourceInfo:
        return INFO

    def __iter__(self) -> Iterator[Frame | Sound]:
        yield from self.items
        if self.error is not None:
            raise self.error

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError("fake: not seekable")

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass
class FakeSink:
    """Keeps what is written; `on_write` may look at, or fail, each frame."""

    on_write: Callable[[Frame], None] = lambda frame: None
    items: list[Frame | Sound] = field(default_factory=list)
    finished: bool = False
    discarded: bool = False
    closed: bool = False
    dropped: int = 0

    @property
    def frames(self) -> list[Frame]:
        return [item for item in self.items if isinstance(item, Frame)]

    def write(self, frame: Frame) -> None:
        self.on_write(frame)
        self.items.append(frame)

    def write_sound(self, sound: Sound) -> None:
        self.items.append(sound)

    def finish(self) -> None:
        self.finished = True

    def discard(self) -> None:
        self.discarded = True

    def stop(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.discard()


def _frames(count: int) -> FakeSource:
    return FakeSource(_frame(number) for number in range(count))


def _stages(
    parse: Callable[[Frame], int | None] = lambda frame: frame.pts,
    motion: Callable[[int | None, float], int | None] = lambda face, seconds: face,
    make: Callable[[int | None, Frame, str], Any] = lambda motion, frame, level: 255 - frame.pixels,
) -> Stages[int, int]:
    return Stages(parse, motion, SingleStage(make))


def _statistics() -> Statistics:
    return Statistics(ManualClock())


def _render(
    source: FakeSource, sink: FakeSink, stages: Stages[int, int] | None = None, statistics: Statistics | None = None
) -> None:
    with source, sink:
        render(source, stages or _stages(), sink, statistics or _statistics(), ManualClock())


def test_every_frame_is_answered_in_order_at_its_own_time() -> None:
    source, sink = _frames(100), FakeSink()
    _render(source, sink)
    assert [frame.pts for frame in sink.frames] == list(range(100))
    assert sink.frames[3].time_base == TIME_BASE
    assert (sink.frames[3].pixels == 252).all()
    assert sink.frames[3].answers is not None
    assert (sink.frames[3].answers.pixels == 3).all()
    assert sink.finished
    assert not sink.discarded
    assert source.closed


def test_sound_keeps_its_place_between_the_frames() -> None:
    items: list[Frame | Sound] = [_sound(0), _frame(0), _frame(1), _sound(1), _sound(2), _frame(2), _sound(3)]
    sink = FakeSink()
    _render(FakeSource(iter(items)), sink)
    assert [(type(item), item.pts) for item in sink.items] == [(type(item), item.pts) for item in items]
    assert [item for item in sink.items if isinstance(item, Sound)] == [i for i in items if isinstance(i, Sound)]


def test_motion_is_told_of_lost_faces_and_of_time() -> None:
    seen: list[tuple[int | None, float]] = []

    def motion(face: int | None, seconds: float) -> int | None:
        seen.append((face, seconds))
        return face

    statistics = _statistics()
    stages = _stages(parse=lambda frame: None if frame.pts == 1 else frame.pts, motion=motion)
    _render(_frames(3), FakeSink(), stages, statistics)
    assert seen == [(0, 0.0), (None, 0.04), (2, 0.08)]
    assert statistics.frames_without_face == 1


def test_the_chain_is_given_none_until_a_face_was_seen() -> None:
    motions: list[int | None] = []

    def make(motion: int | None, frame: Frame, level: str) -> Any:
        motions.append(motion)
        return frame.pixels

    _render(_frames(3), FakeSink(), _stages(parse=lambda frame: frame.pts or None, make=make))
    assert motions == [None, 1, 2]


def test_parsing_goes_on_while_a_frame_is_synthesised() -> None:
    second_is_parsed = threading.Event()

    def parse(frame: Frame) -> int:
        if frame.pts == 1:
            second_is_parsed.set()
        return frame.pts

    def make(motion: int | None, frame: Frame, level: str) -> Any:
        assert second_is_parsed.wait(PATIENCE), "frame 1 was not parsed while frame 0 was synthesised"
        return frame.pixels

    _render(_frames(2), FakeSink(), _stages(parse=parse, make=make))


def test_what_is_on_the_way_is_bounded() -> None:
    statistics = _statistics()
    ahead: list[int] = []
    sink = FakeSink(on_write=lambda frame: ahead.append(statistics.frames_in - statistics.frames_out))
    _render(_frames(300), sink, statistics=statistics)
    assert max(ahead) <= 3 * DEPTH + 4  # full channels, and one frame in each worker and in the sink


def _fail(*arguments: Any) -> Any:
    raise ZeroDivisionError("planned")


@pytest.mark.parametrize(
    "stages",
    [_stages(parse=_fail), _stages(motion=_fail), _stages(make=_fail)],
    ids=["parse", "motion", "chain"],
)
def test_a_failing_stage_stops_all_and_discards(stages: Stages[int, int]) -> None:
    source, sink = _frames(1000), FakeSink()
    with pytest.raises(ZeroDivisionError, match="planned"):
        _render(source, sink, stages)
    assert sink.discarded
    assert not sink.finished
    assert source.closed


def test_a_failing_source_stops_all_and_discards() -> None:
    source, sink = _frames(20), FakeSink()
    source.error = SourceError("broken")
    with pytest.raises(SourceError, match="broken"):
        _render(source, sink)
    assert sink.discarded


@pytest.mark.parametrize("error", [SinkError("full"), KeyboardInterrupt()], ids=["full", "interrupted"])
def test_a_failing_or_interrupted_sink_stops_the_workers(error: BaseException) -> None:
    def on_write(frame: Frame) -> None:
        if frame.pts == 5:
            raise error

    source, sink = _frames(1000), FakeSink(on_write=on_write)
    with pytest.raises(type(error)):
        _render(source, sink)
    assert [frame.pts for frame in sink.frames] == list(range(5))
    assert sink.discarded
    assert source.closed


def test_a_driver_without_a_face_is_refused() -> None:
    sink = FakeSink()
    with pytest.raises(FaceError, match="fake: expected a face, got none in 7 frames"):
        _render(_frames(7), sink, _stages(parse=lambda frame: None))
    assert sink.discarded


def test_a_driver_without_a_frame_is_refused() -> None:
    sink = FakeSink()
    with pytest.raises(SourceError, match="at least one frame"):
        _render(FakeSource(iter([_sound(0)])), sink)
    assert sink.discarded


def test_statistics_hold_what_the_source_and_the_stages_did() -> None:
    source, statistics = _frames(10), _statistics()
    source.broken_frames, source.warnings = 2, ("fake: cut short",)
    _render(source, FakeSink(), statistics=statistics)
    form = statistics.as_json()
    assert form["frames"] == {"in": 10, "out": 10, "dropped": 0, "broken": 2, "without_face": 0}
    assert list(form["stages"]) == ["decode", "parse", "motion", "reenact", "encode"]
    assert {stage["count"] for stage in form["stages"].values()} == {10}
    assert form["warnings"] == ["fake: cut short"]


def test_progress_is_told_after_each_frame() -> None:
    told: list[int] = []
    statistics = _statistics()

    def progress(now: Statistics) -> None:
        told.append(now.frames_out)

    render(_frames(5), _stages(), FakeSink(), statistics, ManualClock(), progress)
    assert told == [1, 2, 3, 4, 5]


def test_leaving_a_stream_early_stops_the_workers() -> None:
    items = stream(_frames(1000), _stages(), _statistics(), ManualClock())
    assert next(items).pts == 0
    items.close()


def test_a_live_source_that_gives_nothing_any_more_is_closed_by_an_end() -> None:
    class Stalled(FakeSource):
        """Gives one frame; then a read waits until it is closed."""

        def __init__(self) -> None:
            super().__init__(iter([_frame(0)]))
            self._ended = threading.Event()

        @property
        def info(self) -> SourceInfo:
            return replace(INFO, live=True)

        def __iter__(self) -> Iterator[Frame | Sound]:
            yield from self.items
            assert self._ended.wait(PATIENCE)

        def close(self) -> None:
            super().close()
            self._ended.set()

    source = Stalled()
    items = stream(source, _stages(), Statistics(ManualClock()), ManualClock())
    next(items)
    items.close()
    assert source.closed
