"""Sink wrapper that reconnects a stream after a break, with times that begin at its first frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from mien.clock import Clock
from mien.emit.sink import Sink, SinkBase, Wrapping
from mien.errors import SinkError
from mien.frame import Frame
from mien.retry import Retry
from mien.sound.sound import Sound


class Rebased(Wrapping):
    """Passes frames and sound on with times relative to the first frame; earlier sound is dropped."""

    def __init__(self, inner: Sink) -> None:
        super().__init__(inner)
        self._origin: Fraction | None = None

    def write(self, frame: Frame) -> None:
        if self._origin is None:
            self._origin = frame.pts * frame.time_base
        self._inner.write(replace(frame, pts=frame.pts - round(self._origin / frame.time_base)))

    def write_sound(self, sound: Sound) -> None:
        if self._origin is None:
            return
        first = sound.pts - round(self._origin / sound.time_base)
        if first * sound.time_base + Fraction(sound.samples.shape[1], sound.format.rate) > 0:
            self._inner.write_sound(replace(sound, pts=first))


class ReconnectingSink(SinkBase):
    """Keeps a sink open: reopens it after a break; frames in between are lost."""

    def __init__(
        self, opening: Callable[[], Sink], name: str, *, clock: Clock, retry: Retry, told: Callable[[str], None]
    ) -> None:
        """Open it.

        Args:
            name: the output as the user called it, for messages.
            retry: when it is opened anew; without patience it ends with the first error.
            told: is told in one line when it breaks and when it is back.

        Raises:
            SinkError: it cannot be opened.
        """
        self._opening = opening
        self._name = name
        self._clock = clock
        self._retry = retry
        self._told = told
        self._tries = 0
        self._next_try = 0.0
        self._stopped = False
        self._break: SinkError | None = None
        """Why it is broken."""
        self._sink: Sink | None = Rebased(opening())

    def write(self, frame: Frame) -> None:
        """Send, or drop it while the stream is broken.

        Raises:
            SinkError: it broke off, and there is no patience left.
        """
        if self._sink is None and self._clock.now() >= self._next_try and not self._stopped:
            self._reopen()
        if self._sink is not None:
            self._try(self._sink.write, frame)

    def write_sound(self, sound: Sound) -> None:
        if self._sink is not None:
            self._try(self._sink.write_sound, sound)

    def finish(self) -> None:
        """Finish it.

        Raises:
            SinkError: it is broken: what came since has arrived nowhere.
        """
        if self._sink is not None:
            self._sink.finish()
        elif self._break is not None:
            raise SinkError(f"{self._break}; it was not back by the end") from self._break

    def stop(self) -> None:
        self._stopped = True
        sink = self._sink
        if sink is not None:
            sink.stop()

    def discard(self) -> None:
        if self._sink is not None:
            self._sink.discard()

    def _try(self, write: Callable[[Frame], None] | Callable[[Sound], None], item: Frame | Sound) -> None:
        try:
            write(item)  # type: ignore[arg-type]
        except SinkError as error:
            assert self._sink is not None
            self._sink.discard()
            self._sink, self._tries, self._break = None, 0, error
            if self._stopped:
                raise
            self._wait(error)
            self._told(f"{error}; it is tried again")

    def _reopen(self) -> None:
        try:
            self._sink = Rebased(self._opening())
        except SinkError as error:
            self._tries += 1
            self._wait(error)
            return
        self._told(f"{self._name}: is back")

    def _wait(self, error: SinkError) -> None:
        delay = self._retry.delay(self._tries)
        if delay is None:
            raise error
        self._next_try = self._clock.now() + delay
