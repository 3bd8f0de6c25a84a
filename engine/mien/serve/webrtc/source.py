"""What a peer sends, as a source."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

from mien.capture.livetime import TIME_BASE
from mien.capture.source import SourceInfo
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound import Sound, SoundFormat

FORMAT = SoundFormat(48_000, 2)
"""Of all sound that comes."""


class PeerSource:
    """Frames (rgb24) and sound of a peer, in step; read by one thread, closed from any.

    Of the pictures that come faster than they are taken the newest wins; what waits is bounded. It ends when the peer
    is closed. `captured_at` is when a frame's last packet came, on `mien.clock.MonotonicClock`.
    """

    def __init__(self, name: str, *, sound: bool) -> None:
        """`name`: for messages; `sound`: whether the peer sends some."""
        self._name, self._sound = name, sound

    @property
    def info(self) -> SourceInfo:
        """Known at once; width, height and rate are nominal until the first frame has come."""
        sound = FORMAT if self._sound else None
        return SourceInfo(self._name, 640, 480, Fraction(30), TIME_BASE, None, None, False, True, sound)

    @property
    def broken_frames(self) -> int:
        return 0

    @property
    def warnings(self) -> tuple[str, ...]:
        return ()

    def __iter__(self) -> Iterator[Frame | Sound]:
        raise NotImplementedError

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError(f"{self._name}: expected a source that can be looked through before, got a live one")

    def close(self) -> None:
        """End the iteration, from any thread."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
