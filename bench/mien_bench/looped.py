"""A driver as long as wanted: a clip played again and again, with times that go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import mien
from mien.capture.source import SourceInfo
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound import Sound


class Looped:
    """A `Source` over laps of a file, each opened anew, so that nothing of a lap is kept."""

    def __init__(self, path: Path, seconds: float) -> None:
        """
        Raises:
            SourceError: the file cannot be read, or does not say how long it is.
        """
        with mien.capture.open(path) as source:
            once = source.info
        if not once.duration:
            raise SourceError(f"{path}: expected a clip that says how long it is; convert it to mp4 first")
        self._path = path
        self._lap = round(Fraction(once.duration) / once.time_base)
        self._end = round(Fraction(seconds) / once.time_base)
        self._broken = 0
        self._warnings: tuple[str, ...] = ()
        self._info = replace(once, frame_count=round(seconds * once.rate), duration=seconds)

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def broken_frames(self) -> int:
        return self._broken

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    def __iter__(self) -> Iterator[Frame | Sound]:
        base = self._info.time_base
        for begin in range(0, self._end, self._lap):
            with mien.capture.open(self._path) as source:
                for item in source:
                    moved = _later(item, begin * base)
                    if moved.pts * moved.time_base < self._end * base:
                        yield moved
                self._broken += source.broken_frames
                self._warnings = source.warnings

    def sample(self, count: int) -> Iterator[Frame]:
        with mien.capture.open(self._path) as source:
            yield from source.sample(count)

    def close(self) -> None:
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _later(item: Frame | Sound, seconds: Fraction) -> Frame | Sound:
    return replace(item, pts=item.pts + round(seconds / item.time_base))
