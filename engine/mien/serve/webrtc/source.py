"""A peer's media as a source."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

from mien.capture.source import SourceInfo
from mien.clock import Clock
from mien.errors import SourceError
from mien.frame import Frame
from mien.handover import DropQueue
from mien.serve.webrtc.decoding import FORMAT, MediaDecoder
from mien.sound.sound import Sound
from mien.timeline import TIME_BASE

NOMINAL = (640, 480)
RATE = Fraction(30)
_SOUNDS = 50
"""Runs of sound that wait at most: a second."""


class PeerSource:
    """Frames (rgb24) and sound of a peer, in step; read by one thread, closed from any.

    Of the pictures that come faster than they are taken the newest wins; what waits is bounded. It ends when the peer
    is closed. `captured_at` is when a frame's last packet came, on the peer's clock; sound is placed on the frames'
    time line by the sender's reports.
    """

    def __init__(self, name: str, clock: Clock, *, sound: bool, largest: int, threads: int) -> None:
        """What has not come yet.

        Args:
            name: for messages.
            sound: whether the peer sends some.
            largest: pixels of a picture; larger ones are broken.
            threads: of the decoder.
        """
        self._name, self._has_sound = name, sound
        self._decoded: DropQueue[Frame | Sound] = DropQueue({Frame: 1, Sound: _SOUNDS}, type)
        self.decoding = MediaDecoder(self._decoded, clock, largest=largest, threads=threads)

    @property
    def info(self) -> SourceInfo:
        """Known at once; the rate is nominal, width and height are so until the first frame has come."""
        width, height = self.decoding.size or NOMINAL
        sound = FORMAT if self._has_sound else None
        return SourceInfo(self._name, width, height, RATE, TIME_BASE, None, None, False, True, sound)

    @property
    def broken_frames(self) -> int:
        return self.decoding.broken

    @property
    def warnings(self) -> tuple[str, ...]:
        return ()

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Until it is closed, or the peer is."""
        yield from self._decoded

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError(f"{self._name}: expected a source that can be looked through before, got a live one")

    def close(self) -> None:
        """End the iteration, from any thread; closing twice is allowed."""
        self.decoding.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
