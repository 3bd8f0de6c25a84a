"""Protocol of a source, the span that is played, and checks of its path."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mien.errors import SettingError, SourceError, cure_of, reason_of
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat

_FINEST = 1_000_000
_LONGEST = 1e9
"""Seconds, thirty years: containers count time in 64 bits."""
_SPECIAL = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Properties of a source before its first frame."""

    name: str
    """The user's name for it, for messages."""
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
        """Warnings so far, one line each, such as a truncated file."""
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


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds from the source's beginning, exact."""

    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    """None: to the end."""

    @classmethod
    def of(cls, start: float, duration: float | None) -> Span:
        """A span as users give it.

        Raises:
            SettingError: a negative start, a duration that is not positive, or either beyond all measure.
        """
        if not 0 <= start <= _LONGEST:
            raise SettingError(f"start must be 0 or more seconds, at most {_LONGEST:g}, got {start:g}")
        if duration is not None and not 1 / _FINEST <= duration <= _LONGEST:
            least = f"a millionth of a second or more, at most {_LONGEST:g} s"
            raise SettingError(f"duration must be more than 0 seconds: {least}, got {duration:g}")
        return cls(_exact(start), None if duration is None else _exact(duration))

    def count(self, frames: int | None, rate: Fraction) -> int | None:
        """How many of a source's `frames` at `rate` lie in the span; None where neither end is known."""
        wanted = None if self.duration is None else math.ceil(self.duration * rate)
        if frames is None:
            return wanted
        left = max(0, frames - math.ceil(self.start * rate))
        return left if wanted is None else min(left, wanted)


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(_FINEST)


def past_the_end(name: str, last: Fraction, start: Fraction) -> SourceError:
    """The refusal of a start behind the last picture.

    Args:
        name: how the user called the source.
        last, start: seconds; where the last picture begins, and the start that was asked for.
    """
    latest = math.floor(last * 1000) / 1000  # never rounded up, to what is refused, too
    return SourceError(
        f"{name}: expected a start no later than the last picture, at {latest:.3f} s, "
        f"got {float(start):g} s; choose an earlier start"
    )


def is_folder(path: Path, name: str) -> bool:
    """Whether `path` is a folder rather than a readable file that is not empty.

    Args:
        name: how the user called it, for messages.

    Raises:
        SourceError: it is neither.
    """
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise SourceError(f"{name}: expected a file, got none ({reason_of(error)}); {cure_of(error)}") from error
    if stat.S_ISDIR(facts.st_mode):
        return True
    special = _SPECIAL.get(stat.S_IFMT(facts.st_mode))
    if special is not None:
        raise SourceError(f"{name}: expected a file, got {special}; record it to a file first")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{name}: expected a file that may be read, got another; change its permissions")
    if facts.st_size == 0:
        raise SourceError(f"{name}: expected a video or a picture, got an empty file; check how it was written")
    return False


def need_file(path: Path, name: str) -> None:
    """Refuse whatever is not a readable file that is not empty.

    Raises:
        SourceError: it is something else.
    """
    if is_folder(path, name):
        raise SourceError(f"{name}: expected a file, got a folder; name a file in it")
