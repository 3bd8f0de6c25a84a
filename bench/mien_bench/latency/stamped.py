"""A source whose frames say in their picture which they are and when they came, with bursts of sound in step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from types import TracebackType
from typing import Self

from mien.capture.source import Source, SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.bursts import EVERY, FORMAT, with_bursts
from mien_bench.latency.timecode import Code, draw
from mien_bench.results import Fact


class Stamped:
    """Draws a code on a copy of each frame of another source at the moment at which that gives it.

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
        samples = with_bursts(self._heard, count, self._starts)
        yield Sound(samples, self._heard, Fraction(1, FORMAT.rate), FORMAT)
        self._heard += count
