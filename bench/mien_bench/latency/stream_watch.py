"""Sinks that read strips, and a program that does: `python -m mien_bench.latency.stream_watch SOURCE FILE`.

The program notes every strip until the source ends, or SIGTERM; then the trace is written to FILE as JSON. It prints a
line when it has begun to look.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Final

from mien import capture
from mien.clock import MonotonicClock
from mien.emit.sink import Sink, SinkBase
from mien.errors import MienError
from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.chirps import FORMAT
from mien_bench.latency.timecode import read
from mien_bench.latency.trace import Trace

BEGUN: Final = "looking"
SEEN: Final = "seen"
"""With the first strip that can be read."""
_ENDING: Final = 5.0
"""Seconds that a source is given to end once it is closed."""


class Watching(SinkBase):
    """A sink that decodes the strip of every frame, and detects chirps."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.trace = Trace()

    def write(self, frame: Frame) -> None:
        see(self.trace, frame, self._now(), self._now)

    def write_sound(self, sound: Sound) -> None:
        self.trace.hear(sound.samples[0], sound.seconds)


class Noting(SinkBase):
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


class Watcher:
    """Reads a source on a thread of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._source: capture.Source | None = None
        self.trace = Trace()
        self.over = Event()
        self.trouble: str | None = None
        self._told = False
        self.thread = Thread(target=self._look, name="bench-watch", daemon=True)

    def close(self) -> None:
        """End, from another thread."""
        if self._source is not None:
            self._source.close()

    def _look(self) -> None:
        try:
            self._watch()
        except MienError as error:
            self.trouble = str(error)
        finally:
            self.over.set()

    def _tell(self) -> None:
        if not self._told and self.trace.codes[-1] is not None:
            self._told = True
            print(SEEN, flush=True)

    def _watch(self) -> None:
        clock = MonotonicClock()
        with capture.open(self._name, threads=1, clock=clock) as self._source:
            for item in self._source:
                if isinstance(item, Frame):
                    see(self.trace, item, clock.now(), clock.now)
                    self._tell()
                elif item.format.rate == FORMAT.rate:
                    self.trace.hear(item.samples[0], item.seconds)


def main(arguments: list[str]) -> int:
    """Watch until the end; 2 where nothing could be read."""
    name, path = arguments
    watcher = Watcher(name)
    signal.signal(signal.SIGTERM, lambda number, frame: watcher.over.set())
    watcher.thread.start()
    print(BEGUN, flush=True)
    watcher.over.wait()
    watcher.close()
    watcher.thread.join(_ENDING)
    Path(path).write_text(json.dumps(watcher.trace.observed().as_json()))
    if watcher.trouble is not None and not watcher.trace.at:
        print(watcher.trouble, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
