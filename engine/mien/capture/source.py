"""What every source is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame."""

    name: str
    """How the user called it, for messages."""
    width: int
    """Pixels, after the rotation that the container asks for."""
    height: int
    rate: Fraction
    """Average frames per second; 25 where a source has none (a still image)."""
    time_base: Fraction
    frame_count: int | None
    """Number of frames that will come, None where unknown; an estimate for containers that do not say."""
    duration: float | None
    """Seconds, None where unknown."""
    seekable: bool
    """Whether `sample` works."""
    live: bool
    sound: SoundFormat | None


class Source(Protocol):
    """A stream of frames with sound in between, in order of decoding; a context manager; read once."""

    @property
    def info(self) -> SourceInfo: ...

    @property
    def broken_frames(self) -> int:
        """Frames that did not decode so far and were skipped."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know so far (one line each), such as a truncated file."""
        ...

    def __iter__(self) -> Iterator[Frame | Sound]: ...

    def sample(self, count: int) -> Iterator[Frame]:
        """At most `count` frames spread evenly over what will be played; leaves the stream's position alone.

        Raises:
            SourceError: the source is not seekable.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
