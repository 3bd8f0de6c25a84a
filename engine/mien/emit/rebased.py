"""A time line that begins with the first frame: for a recording begun, or a connection made, in mid-stream."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mien.emit.ending import Ending
from mien.emit.sink import Sink
from mien.frame import Frame
from mien.sound.sound import Sound


class Rebased(Ending):
    """Hands frames and sound on with the time of the first frame as 0; sound from before it is dropped."""

    def __init__(self, inner: Sink) -> None:
        self._inner = inner
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

    def finish(self) -> None:
        self._inner.finish()

    def discard(self) -> None:
        self._inner.discard()
