"""The offline pipeline: worker threads joined by bounded queues, nothing is lost.

    decode -> [queue] -> parse, motion -> [queue] -> synthesis -> [queue] -> the caller (emit)

Decoding and parsing of frame n + 1 overlap the synthesis of frame n. Sound passes along in step. Memory is constant:
each queue holds a few items, and a full one makes its producer wait.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from threading import Lock, Thread
from typing import Any

from mien.capture.source import Source
from mien.clock import Clock
from mien.emit.sink import Sink
from mien.errors import FaceError, SourceError
from mien.frame import Frame
from mien.handover import Channel, Closed
from mien.machine.threads import begun
from mien.pipeline.stages import MOTION, PARSE, FaceT, MotionT, Progress, Stages
from mien.sound.sound import Sound
from mien.stats import Statistics, Stopwatch

DEPTH = 8
"""Items per queue: about four frames with the sound between them."""


def stream(
    source: Source, stages: Stages[FaceT, MotionT], statistics: Statistics, clock: Clock, depth: int = DEPTH
) -> Generator[Frame | Sound, None, None]:
    """Run `stages` over `source` on worker threads; give the answered frames and the sound in the source's order.

    The source is read, not closed. Closing the generator stops the workers.

    Raises:
        MienError, or whatever a stage raised: the first error of any worker, once all have stopped.
        SourceError: the source had no frame.
        FaceError: no frame had a face.
    """
    decoded: Channel[Frame | Sound] = Channel(depth)
    moved: Channel[tuple[Frame, MotionT | None] | Sound] = Channel(depth)
    answered: Channel[Frame | Sound] = Channel(depth)
    statistics.announce("decode", *stages.names)
    statistics.shots = stages.shots
    crew = _Crew((decoded, moved, answered))
    try:
        crew.start("mien-decode", lambda: _decode(source, decoded, statistics, clock))
        crew.start("mien-motion", lambda: _follow(stages, decoded, moved, statistics, clock))
        crew.start("mien-synthesis", lambda: _synthesise(stages, moved, answered, statistics, clock))
        yield from answered
    except BaseException:
        if source.info.live:  # which may have nothing to give for long: a read that waits is ended
            source.close()
        raise
    finally:
        crew.stop()
    crew.raise_first_error()
    _need_faces(source, statistics)


def render(
    source: Source,
    stages: Stages[FaceT, MotionT],
    sink: Sink,
    statistics: Statistics,
    clock: Clock,
    progress: Progress | None = None,
) -> None:
    """Send every frame of `source` through `stages` into `sink`; the caller closes the one and ends the other.

    The sink is written, and `progress` called after each frame, by the calling thread.

    Raises:
        As `stream`, and what the sink raises. All workers have stopped by then, also on KeyboardInterrupt.
    """
    statistics.announce("decode", *stages.names, "encode")
    laps = Stopwatch(statistics, clock)
    with closing(stream(source, stages, statistics, clock)) as items:
        for item in items:
            if isinstance(item, Sound):
                sink.write_sound(item)
                continue
            laps.begin()
            sink.write(item)
            laps.lap("encode")
            statistics.frames_out += 1
            if progress is not None:
                progress(statistics)
    statistics.end()


def _decode(source: Source, out: Channel[Frame | Sound], statistics: Statistics, clock: Clock) -> None:
    latency = statistics.stage("decode")
    began = clock.now()
    for item in source:
        if isinstance(item, Frame):
            latency.record(clock.now() - began)
            statistics.frames_in += 1
        statistics.frames_broken = source.broken_frames
        out.put(item)
        began = clock.now()
    statistics.frames_broken = source.broken_frames
    statistics.warnings = source.warnings
    out.close()


def _follow(
    stages: Stages[FaceT, MotionT],
    items: Channel[Frame | Sound],
    out: Channel[tuple[Frame, MotionT | None] | Sound],
    statistics: Statistics,
    clock: Clock,
) -> None:
    laps = Stopwatch(statistics, clock)
    for item in items:
        if isinstance(item, Sound):
            out.put(item)
            continue
        laps.begin()
        face = stages.parse(item)
        laps.lap(PARSE)
        motion = stages.motion(face, item.seconds)
        laps.lap(MOTION)
        statistics.frames_without_face += face is None
        out.put((item, motion))
    out.close()


def _synthesise(
    stages: Stages[FaceT, MotionT],
    items: Channel[tuple[Frame, MotionT | None] | Sound],
    out: Channel[Frame | Sound],
    statistics: Statistics,
    clock: Clock,
) -> None:
    laps = Stopwatch(statistics, clock)
    for item in items:
        if isinstance(item, Sound):
            out.put(item)
            continue
        frame, motion = item
        pixels = stages.chain(motion, frame, "full", laps)
        out.put(frame.answer(pixels, "rgba" if pixels.shape[2] == 4 else "rgb24"))
    out.close()


def _need_faces(source: Source, statistics: Statistics) -> None:
    name = source.info.name
    if statistics.frames_in == 0:
        raise SourceError(f"{name}: expected at least one frame that decodes, got none; is it a video or a picture?")
    if statistics.frames_without_face == statistics.frames_in:
        raise FaceError(
            f"{name}: expected a face, got none in {statistics.frames_in} frames; "
            "use a driver whose face is seen from the front and fills a tenth of the picture or more"
        )


class _Crew:
    """The worker threads of one run: the first error stops all."""

    def __init__(self, channels: tuple[Channel[Any], ...]) -> None:
        self._channels = channels
        self._threads: list[Thread] = []
        self._lock = Lock()
        self._error: BaseException | None = None

    def start(self, name: str, work: Callable[[], None]) -> None:
        self._threads.append(begun(name, lambda: self._run(work)))

    def stop(self) -> None:
        """Cancel what still runs and wait until it has stopped."""
        for channel in self._channels:
            channel.cancel()
        for thread in self._threads:
            thread.join()

    def raise_first_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Closed:
            pass  # another part of the run ended it
        except BaseException as error:
            with self._lock:
                self._error = self._error or error
            for channel in self._channels:
                channel.cancel()
