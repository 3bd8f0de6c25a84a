"""Plays a recorded source in real time, as a camera would deliver it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from threading import Event, Lock
from types import TracebackType
from typing import Self, TypeVar

from mien.capture.playing import AHEAD
from mien.capture.source import Source, SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.sound.sound import Sound

Item = TypeVar("Item", Frame, Sound)

LATE = 0.2
"""Lateness in seconds after which a frame is skipped, as a camera would skip it."""


class Paced:
    """Delivers each frame at its time, `captured_at`; sound is delivered when it has ended, or up to `AHEAD` before.

    After a stall of the reader, frames in between are skipped. If skipping does not catch up, since the source decodes
    slower than it plays, the lost time is accepted.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        *,
        again: Callable[[], Source] | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """Take over a source.

        Args:
            source: is closed with this.
            again: opens it anew, to go on from its beginning whenever it has ended; None: to end with it.
            wait: waits so many seconds of `clock` and says whether it is to stop; None: in real time.
        """
        self._source = source
        self._clock = clock
        self._again = again
        self._closed = Event()
        self._wait = wait or self._closed.wait
        self._began: float | None = None
        self._shift = Fraction(0)
        """Duration in seconds of the previous loops."""
        self._until = Fraction(0)
        """Seconds where what was given ends."""
        self._unheard: deque[Sound] = deque()
        self._skips = self._bearable = 0
        """Frames skipped since the last one in time, and after how many skipping is given up."""
        self._reading = Lock()
        self.missed = 0
        """Frames skipped because they were late."""

    @property
    def info(self) -> SourceInfo:
        info = replace(self._source.info, live=True, seekable=self._source.info.seekable)
        return info if self._again is None else replace(info, frame_count=None, duration=None)

    @property
    def broken_frames(self) -> int:
        return self._source.broken_frames

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings

    def __iter__(self) -> Iterator[Frame | Sound]:
        while True:
            yield from self._round()
            if not self._rewound():
                return

    def sample(self, count: int) -> Iterator[Frame]:
        return self._source.sample(count)

    def close(self) -> None:
        """Also from another thread: the wait for the next frame ends."""
        self._closed.set()
        with self._reading:
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _round(self) -> Iterator[Frame | Sound]:
        """One pass over the source."""
        items = iter(self._source)
        try:
            yield from self._in_time(items)
        finally:
            with self._reading:  # else another thread might close the source while the iteration ends
                if isinstance(items, Generator):
                    items.close()

    def _in_time(self, items: Iterator[Frame | Sound]) -> Iterator[Frame | Sound]:
        while (item := self._read(items)) is not None:
            if isinstance(item, Sound):
                self._unheard.append(self._later(item))
                continue
            frame = self._later(item)
            yield from self._heard(frame.pts * frame.time_base)
            late = self._wait_for(frame)
            if self._closed.is_set():
                return
            self._until = frame.pts * frame.time_base + self._length(frame)
            if not self._is_missed(late):
                yield replace(frame, captured_at=self._clock.now())
        yield from self._heard(None)

    def _read(self, items: Iterator[Frame | Sound]) -> Frame | Sound | None:
        with self._reading:
            return None if self._closed.is_set() else next(items, None)

    def _rewound(self) -> bool:
        """Begin the next loop; returns whether there is one."""
        with self._reading:
            if self._again is None or self._closed.is_set() or self._until == self._shift:
                return False
            self._shift = self._until
            self._source.close()
            self._source = self._again()
            return True

    def _wait_for(self, frame: Frame) -> float:
        """Wait until it is due; returns its lateness in seconds."""
        now = self._clock.now()
        due = float(frame.pts * frame.time_base)
        if self._began is None:
            self._began = now - due
        early = self._began + due - now
        if early > 0:
            self._wait(early)
        return -early

    def _is_missed(self, late: float) -> bool:
        if late <= LATE:
            self._skips = self._bearable = 0
            return False
        self._bearable = self._bearable or math.ceil(2 * late * self._source.info.rate)
        if self._skips >= self._bearable:
            assert self._began is not None
            self._began += late
            return False
        self._skips += 1
        self.missed += 1
        return True

    def _heard(self, until: Fraction | None) -> Iterator[Sound]:
        """Sound that ends before a time, when that has come; None: the rest, at once if another loop follows."""
        waits = until is not None or self._again is None
        while self._unheard and (until is None or _end(self._unheard[0]) <= until):
            if self._began is not None and waits:
                early = self._began + float(_end(self._unheard[0])) - AHEAD - self._clock.now()
                if early > 0 and self._wait(early):
                    return
            yield self._unheard.popleft()

    def _later(self, item: Item) -> Item:
        """The frame with its time after the previous loops."""
        return replace(item, pts=item.pts + round(self._shift / item.time_base))

    def _length(self, frame: Frame) -> Fraction:
        return frame.duration * frame.time_base if frame.duration else 1 / self._source.info.rate


def _end(sound: Sound) -> Fraction:
    return sound.pts * sound.time_base + Fraction(sound.samples.shape[1], sound.format.rate)
