"""Faults that are planted to see whether they are found: a delay, and frames that get lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Event, Thread
from types import TracebackType
from typing import Self

from mien.capture.source import Source, SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.handover import Channel, Closed
from mien.sound.sound import Sound

_SPARE = 64
"""Items that may wait beside the frames that the delay itself holds."""


BLOCK = 100
"""Frames with one delay."""


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
