"""Live source: frames of a camera, network, screen or pipe, reopened when it breaks off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import Lock
from types import TracebackType
from typing import Self

from av.video.frame import VideoFrame

from mien.cancellation import Cancellation
from mien.capture.ahead import BrokeOff
from mien.capture.audio import Run, trimmed
from mien.capture.connection import Connection
from mien.capture.feeds import Feed
from mien.capture.interrupt import Interrupt
from mien.capture.pixels import PixelReader
from mien.capture.playing import Playing
from mien.capture.source import SourceInfo
from mien.clock import Clock
from mien.errors import SourceError
from mien.frame import Frame
from mien.retry import Retry
from mien.sound.sound import Sound
from mien.timeline import TIME_BASE, Arrival, Manner

_WARNINGS = 20
"""Number of warnings kept, the newest ones: a stream may run for weeks."""
_CLOSING = 2.0
"""Seconds that `close` waits for a read that cannot be interrupted, such as a stalled device's."""


class LiveSource:
    """A source without a fixed end; its frames have the times on `clock` at which they are delivered.

    It is read by one thread; `close` may be called from any thread and ends a waiting read. Frames in real time are
    delivered at once. Faster input from senders that can be made to wait (recordings, HLS segments) is buffered, still
    encoded, and delivered in time. `info` and `warnings` report a change of size or rate; frames have their present
    size.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        clock: Clock,
        retry: Retry | None = None,
        duration: Fraction | None = None,
        alpha: bool = False,
        threads: int = 1,
        wait: Callable[[float], bool] | None = None,
        in_time: bool = True,
        cancellation: Cancellation | None = None,
    ) -> None:
        """Open the feed and decode its first frame.

        Args:
            retry: when a lasting feed that broke off is opened again.
            duration: seconds after which it ends; None: when it ends or is closed.
            wait: waits a number of seconds and returns whether to stop; None: in real time.
            in_time: deliver frames at their time; otherwise as fast as they are read, if the sender can wait, without
                loss.
            cancellation: ends the opening; None: nothing does.

        Raises:
            SourceError: it cannot be opened, or ends before its first frame.
            Stopped: it was cancelled.
        """
        self._feed = feed
        self._clock = clock
        self._retry = retry or Retry()
        self._duration = duration
        self._alpha = alpha
        self._threads = threads
        self._interrupt = Interrupt()
        self._wait = wait or self._interrupt.wait
        self._reading = Lock()
        self._warnings: deque[str] = deque(maxlen=_WARNINGS)
        self._broken = 0
        self._heard = 0
        self._held: list[Run] = []
        self._connection: Connection | None = None
        self._in_time = in_time
        self._pixels, self._stored = self._new_pixels(), (0, 0, 0.0)
        self._info: SourceInfo | None = None
        cancellation = cancellation or Cancellation()
        try:
            with cancellation.calling(self._stop):
                self._open()
            cancellation.need_wanted()
        except BaseException:
            self.close()
            cancellation.need_wanted()  # whatever error that became
            raise

    @property
    def info(self) -> SourceInfo:
        assert self._info is not None
        return self._info

    @property
    def broken_frames(self) -> int:
        return self._broken + (self._connection.broken if self._connection is not None else 0)

    @property
    def missed(self) -> int:
        """Frames skipped because this machine was too slow."""
        return self._playing.missed

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._warnings)

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Iterate until it ends, is closed, or cannot be reopened.

        Raises:
            SourceError: it broke off, and the patience of its retries is at an end.
        """
        items: Sequence[Frame | Sound] | None = self._ahead
        while items is not None:
            for item in items:
                if isinstance(item, Sound):
                    yield from self._playing.later(item)
                    continue
                if self._is_over(item):
                    return
                yield from self._playing.heard(item.pts)
                frame = self._playing.in_time(item)
                if frame is None:
                    return
                yield frame
            yield from self._playing.heard_by_now()
            items = self._next()
        yield from self._playing.heard(None)

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError(f"{self._feed.name}: expected a source that can be looked through before, got a live one")

    def close(self) -> None:
        self._stop()
        if self._reading.acquire(timeout=_CLOSING):  # else whoever reads closes it when the read returns
            try:
                self._disconnect()
            finally:
                self._reading.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stop(self) -> None:
        """End whatever waits."""
        self._interrupt.set()
        self._feed.stop()

    def _open(self) -> None:
        connection = self._connection = Connection(self._feed, self._interrupt, self._clock, self._threads)
        self._playing = Playing(self._clock, self._wait, self._manner_of(connection))
        self._sound = connection.sound_format
        self._ahead = self._until_frame()

    def _until_frame(self) -> deque[Frame | Sound]:
        ahead: deque[Frame | Sound] = deque()
        while not any(isinstance(item, Frame) for item in ahead):
            with self._reading:
                try:
                    ahead.extend(self._read())
                except BrokeOff as end:
                    reason = str(end) or "it ended"
                    raise SourceError(
                        f"{self._feed.name}: expected a stream of pictures, got none that decodes ({reason}); "
                        "look at it with a player"
                    ) from end
        return ahead

    def _next(self) -> list[Frame | Sound] | None:
        """The next items, possibly none; None at the end."""
        with self._reading:
            try:
                return self._read() if self._connection is not None else None
            except BrokeOff as end:
                return [] if self._again(str(end)) else None
            finally:
                if self._interrupt.is_set():
                    self._disconnect()

    def _read(self) -> list[Frame | Sound]:
        assert self._connection is not None
        items: list[Frame | Sound] = []
        connection = self._connection
        for part in connection.read():
            if isinstance(part[0], VideoFrame):
                items.extend(self._frame(*part, connection))
            else:
                self._held.append(part)
            if connection.jumped:
                self._warn(f"has times that jumped by {float(connection.jumped):+.1f} s; the jump is left out")
        items.extend(self._sounds())
        return items

    def _frame(self, picture: VideoFrame, stamp: Fraction, arrival: Arrival, connection: Connection) -> Iterator[Frame]:
        """The frame at its presentation time, or nothing if it is skipped."""
        now = self._clock.now()
        pts = self._playing.place(stamp, arrival, now, connection.opened.rate)
        if pts is None:
            return
        aspect = connection.opened.sample_aspect
        stored = (picture.width, picture.height, aspect)
        if stored != self._stored:
            self._pixels, self._stored = self._new_pixels(), stored
        pixels = self._pixels.read(picture, aspect)
        frame = Frame(pixels, pts, TIME_BASE, captured_at=now, layout=self._pixels.layout)
        self._describe(frame, connection.opened.rate)
        yield frame

    def _sounds(self) -> Iterator[Sound]:
        """Sound on the frames' time line, which begins with the first frame."""
        anchor = self._playing.anchor
        if self._sound is None or anchor is None:
            self._held = self._held if self._sound is not None else []
            return
        origin = round(anchor * self._sound.rate)
        for first, samples in self._held:
            sound = trimmed(first, samples, origin + self._heard, None, self._sound)
            if sound is not None:
                sound = replace(sound, pts=sound.pts + self._heard)
                self._heard = sound.pts + sound.samples.shape[1]
                yield sound
        self._held = []

    def _describe(self, frame: Frame, rate: Fraction) -> None:
        width, height = frame.size
        before = self._info
        if before is not None and (before.width, before.height, before.rate) == (width, height, rate):
            return
        if before is not None:
            self._warn(f"changed to {width} x {height} at {float(rate):.4g} frames per second")
        duration = None if self._duration is None else float(self._duration)
        count = None if self._duration is None else round(self._duration * rate)
        name = self._feed.name
        self._info = SourceInfo(name, width, height, rate, TIME_BASE, count, duration, False, True, self._sound)

    def _again(self, reason: str) -> bool:
        """Reopen a lasting feed, with retries; returns whether it is open."""
        complete = not reason and self._connection is not None and self._connection.complete
        others = self._connection.left_out if not reason and self._connection is not None else None
        if others is not None and not self._interrupt.is_set():
            self._warn(others)
        self._disconnect()
        if self._interrupt.is_set() or complete or not self._feed.lasting:
            if reason and not self._interrupt.is_set():
                self._warn(f"broke off ({reason})")
            return False
        self._warn(f"broke off ({reason or 'it ended'}); it is opened again as soon as it is there")
        tries = 0
        while (delay := self._retry.delay(tries)) is not None:
            if self._wait(delay) or self._interrupt.is_set():
                return False
            try:
                self._connect()
            except SourceError as error:
                tries, reason = tries + 1, str(error)
                continue
            self._warn("is back")
            return True
        raise SourceError(
            f"{self._feed.name}: expected it to come back, got nothing ({reason}); start it and try again"
        )

    def _connect(self) -> None:
        self._connection = Connection(self._feed, self._interrupt, self._clock, self._threads, self._sound)
        self._playing.reconnected(self._manner_of(self._connection))
        self._held = []

    def _manner_of(self, connection: Connection) -> Manner:
        return replace(connection.manner, unhurried=not self._in_time)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._broken += self._connection.broken
            self._connection.close()
            self._connection = None

    def _new_pixels(self) -> PixelReader:
        return PixelReader(alpha=self._alpha, threads=self._threads)

    def _is_over(self, frame: Frame) -> bool:
        return self._duration is not None and frame.pts * TIME_BASE >= self._duration

    def _warn(self, what: str) -> None:
        self._warnings.append(f"{self._feed.name} {what}")
