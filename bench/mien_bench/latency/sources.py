"""Sources for measuring: a camera of pictures in memory, frames that carry number and time, planted faults."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from mien import capture
from mien.capture.image import resized
from mien.capture.paced import Paced
from mien.capture.source import Source, SourceInfo
from mien.capture.synthetic import array_source
from mien.clock import Clock
from mien.frame import Frame
from mien.handover import Channel, Closed
from mien.sound.sound import Sound
from mien_bench.latency.chirps import EVERY, FORMAT, with_chirps
from mien_bench.latency.timecode import Code, draw
from mien_bench.results import Fact

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
RATE: Final = Fraction(25)
COUNT: Final = 100
"""Frames of the driver that are shown, back and forth in a loop."""
_SPARE = 64
"""Items that may wait beside the frames that the delay itself holds."""
BLOCK = 100
"""Frames with one delay."""


def pictures_of(driver: Path, count: int = COUNT, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[Pixels]:
    """The first frames of a clip, as a camera of `size` shows them: scaled to its height, cut or with grey sides."""
    with capture.open(driver) as source:
        frames = list(islice((item for item in source if isinstance(item, Frame)), count))
    return [_as_seen(frame.pixels, *size) for frame in frames]


def camera(pictures: list[Pixels], clock: Clock) -> Source:
    """The pictures in real time, without an end."""
    laps = [*pictures, *pictures[-2:0:-1]]
    return Paced(array_source(laps, rate=RATE), clock, again=lambda: array_source(laps, rate=RATE))


def _as_seen(pixels: Pixels, across: int, down: int) -> Pixels:
    height, width, _ = pixels.shape
    scaled = resized(pixels, max(round(width * down / height), 1), down)
    out = np.full((down, across, 3), 110, np.uint8)
    wide = min(scaled.shape[1], across)
    left, cut = (across - wide) // 2, (scaled.shape[1] - wide) // 2
    out[:, left : left + wide] = scaled[:, cut : cut + wide]
    return out


class Stamped:
    """Draws a code on a copy of each frame of another source at the moment of its capture.

    The other source's sound is left out. Ours comes when it has been heard in full: what belongs to the time of one
    frame is given before the next one.
    """

    def __init__(self, source: Source, clock: Clock, *, count: int | None = None, sound: bool = True) -> None:
        """Take over a source, which is closed with this.

        Args:
            count: frames to give; None: all.
            sound: whether there are bursts.
        """
        self._source = source
        self._clock = clock
        self._count = count
        self._sound = sound
        self._heard = 0
        self._starts: list[int] = []
        self.sent = 0
        """Frames given so far; they are numbered from 0."""
        self.seconds = 0.0
        """That stamping took."""

    @property
    def info(self) -> SourceInfo:
        count = self._source.info.frame_count
        if self._count is not None:
            count = self._count if count is None else min(count, self._count)
        sound = FORMAT if self._sound else None
        return replace(self._source.info, frame_count=count, duration=None, sound=sound)

    @property
    def broken_frames(self) -> int:
        return self._source.broken_frames

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings

    def about(self) -> dict[str, Fact]:
        """What the frames are, as conditions of a row."""
        info = self.info
        return {"source": f"{info.width}x{info.height}", "rate": float(info.rate)}

    def __iter__(self) -> Iterator[Frame | Sound]:
        for item in self._source:
            if self._is_over():
                return
            if not isinstance(item, Frame):
                continue
            yield from self._sound_until(item.seconds)
            yield self._stamped(item)
            if self._is_over():
                yield from self._sound_until(item.seconds + float(1 / self.info.rate))
                return

    def let_run(self, count: int) -> None:
        """End after so many more frames, if not sooner; from any thread."""
        self._count = self.sent + count if self._count is None else min(self.sent + count, self._count)

    def sample(self, count: int) -> Iterator[Frame]:
        return self._source.sample(count)

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_over(self) -> bool:
        return self._count is not None and self.sent >= self._count

    def _stamped(self, frame: Frame) -> Frame:
        begin = self._clock.now()
        pixels = frame.pixels.copy()
        draw(Code.of(self.sent, begin), pixels)
        if self._sound and self.sent % EVERY == 0:
            self._starts = [*self._starts[-1:], round(frame.seconds * FORMAT.rate)]
        self.sent += 1
        self.seconds += self._clock.now() - begin
        return replace(frame, pixels=pixels, captured_at=begin)

    def _sound_until(self, seconds: float) -> Iterator[Sound]:
        """What is not given yet, up to a time on the frames' time line."""
        count = round(seconds * FORMAT.rate) - self._heard
        if not self._sound or count <= 0:
            return
        samples = with_chirps(self._heard, count, self._starts)
        yield Sound(samples, self._heard, Fraction(1, FORMAT.rate), FORMAT)
        self._heard += count


def delay_of(number: int, delays: Sequence[float]) -> float:
    """Which of several delays a frame is held by."""
    return delays[number // BLOCK % len(delays)]


class _Around:
    """A source over another one, which it closes."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def broken_frames(self) -> int:
        return self._source.broken_frames

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings

    def __iter__(self) -> Iterator[Frame | Sound]:
        return iter(self._source)

    def sample(self, count: int) -> Iterator[Frame]:
        return self._source.sample(count)

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Losing(_Around):
    """Loses every so many-th frame: of 100 the 100th, the 200th, and so on."""

    def __init__(self, source: Source, every: int) -> None:
        super().__init__(source)
        self._every = every

    def __iter__(self) -> Iterator[Frame | Sound]:
        seen = 0
        for item in self._source:
            if isinstance(item, Frame):
                seen += 1
                if seen % self._every == 0:
                    continue
            yield item


class Delayed(_Around):
    """A delay line: gives each item so many seconds after the other source gave it, in order, none lost.

    The delay goes round a list of them, each for a block of frames: what is compared then is of the same minute. A
    thread reads ahead. As a camera behind the line would, it says that frames came when they leave it.
    """

    def __init__(
        self, source: Source, seconds: Sequence[float], clock: Clock, *, wait: Callable[[float], object] | None = None
    ) -> None:
        """`wait` waits so many seconds of `clock`; None: in real time."""
        super().__init__(source)
        self._seconds = seconds
        self._clock = clock
        self._closed = Event()
        self._wait = wait or self._closed.wait
        self._waiting: Channel[tuple[float, Frame | Sound]] = Channel(
            math.ceil(4 * max(seconds) * source.info.rate) + _SPARE
        )
        self._error: BaseException | None = None
        self.held: list[float] = []
        """Seconds that each frame was held in truth: where the machine is busy, longer than was wanted."""

    def __iter__(self) -> Iterator[Frame | Sound]:
        thread = Thread(target=self._read, name="bench-delay", daemon=True)
        thread.start()
        try:
            for came, item in self._waiting:
                early = came + delay_of(len(self.held), self._seconds) - self._clock.now()
                if early > 0:
                    self._wait(early)
                if isinstance(item, Frame):
                    item = replace(item, captured_at=self._clock.now())
                    self.held.append(item.captured_at - came)
                yield item
        finally:
            self._waiting.cancel()
            thread.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._closed.set()
        self._waiting.cancel()
        super().close()

    def _read(self) -> None:
        try:
            for item in self._source:
                came = item.captured_at if isinstance(item, Frame) else self._clock.now()
                self._waiting.put((came, item))
            self._waiting.close()
        except Closed:
            pass  # nobody reads any more
        except BaseException as error:
            self._error = error
            self._waiting.close()
