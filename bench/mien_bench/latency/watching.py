"""Sinks that see: one reads the strip at once, one notes when each frame was taken."""

from __future__ import annotations

from collections.abc import Callable

from mien.emit.sink import Ending, Sink
from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.timecode import read
from mien_bench.latency.trace import Trace


class Watching(Ending):
    """Reads the strip of every frame that comes, and listens."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.trace = Trace()

    def write(self, frame: Frame) -> None:
        see(self.trace, frame, self._now(), self._now)

    def write_sound(self, sound: Sound) -> None:
        self.trace.hear(sound.samples[0], sound.seconds)


class Noting(Ending):
    """Passes frames on to a sink that is opened for the size of the first one, and notes when each had been taken."""

    def __init__(self, opened: Callable[[Frame], Sink], now: Callable[[], float]) -> None:
        self._opened = opened
        self._now = now
        self._sink: Sink | None = None
        self.taken: list[float] = []
        """Seconds of the clock, one for each frame."""

    def write(self, frame: Frame) -> None:
        if self._sink is None:
            self._sink = self._opened(frame)
        self._sink.write(frame)
        self.taken.append(self._now())

    def write_sound(self, sound: Sound) -> None:
        if self._sink is not None:
            self._sink.write_sound(sound)

    def finish(self) -> None:
        if self._sink is not None:
            self._sink.finish()

    def discard(self) -> None:
        if self._sink is not None:
            self._sink.discard()


def see(trace: Trace, frame: Frame, at: float, now: Callable[[], float]) -> None:
    """Read the strip of a frame that was there at a time of the clock `now`."""
    begin = now()
    code = read(frame.pixels)
    trace.see(at, code, frame.seconds, now() - begin)
