"""Sources over pictures with random access: still files, folders, patterns, arrays, generated patterns."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import PictureReader
from mien.capture.source import SourceInfo, Span, past_the_end
from mien.errors import SettingError, SourceError, cure_of, reason_of
from mien.frame import Frame, Layout
from mien.numbered import Numbered
from mien.sound.sound import Sound, SoundFormat

Picture = Callable[[int], NDArray[np.uint8]]
"""The (H, W, 3 or 4) uint8 picture of a number; raises SourceError where it is damaged."""
Tone = Callable[[int, int], NDArray[np.float32]]
"""(channels, n) float32 samples in -1..1: n of them from the first on."""
_TOLD = 3
"""Damaged pictures that are told one by one."""
PICTURE_ENDINGS = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)


class IndexedSource:
    """Plays the pictures `numbers`, each at its time; a damaged one is skipped and counted."""

    def __init__(
        self,
        name: str,
        picture: Picture,
        numbers: Sequence[int],
        *,
        rate: Fraction,
        times: Sequence[int] | None = None,
        time_base: Fraction | None = None,
        end: int | None = None,
        sound: SoundFormat | None = None,
        tone: Tone | None = None,
    ) -> None:
        """Read the first picture that is whole.

        Args:
            name: how the user called it, for messages.
            times: when each of `numbers` is shown, in units of `time_base`; None: one after the other at `rate`.
            end: when the last one is over; None: as long after its beginning as `rate` says.
            sound, tone: a sound from time 0 to the end of the last picture.

        Raises:
            SourceError: no picture decodes.
        """
        self._name = name
        self._picture = picture
        self._numbers = numbers
        self._time_base = time_base or 1 / rate
        self._step = max(1, round(1 / (rate * self._time_base)))
        self._times = times if times is not None else range(0, len(numbers) * self._step, self._step)
        self._end = end if end is not None else self._times[-1] + self._step
        self._tone = tone
        self._broken = 0
        self._warnings: list[str] = []
        self._next = 0
        self._ahead = self._first_whole()
        height, width, _ = self._ahead.shape
        self._info = SourceInfo(
            name=name,
            width=width,
            height=height,
            rate=rate,
            time_base=self._time_base,
            frame_count=len(numbers),
            duration=float(self._end * self._time_base),
            seekable=True,
            live=False,
            sound=sound if tone is not None else None,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def broken_frames(self) -> int:
        return self._broken

    @property
    def warnings(self) -> tuple[str, ...]:
        left_out = self._broken - len(self._warnings)
        more = (f"{self._name}: {left_out} more damaged",) if left_out > 0 else ()
        return (*self._warnings, *more)

    def __iter__(self) -> Iterator[Frame | Sound]:
        heard = 0
        while self._next < len(self._numbers):
            place = self._next
            self._next += 1
            try:
                frame = self._frame_at(place)
            except SourceError as error:
                self._leave_out(error)
                continue
            yield frame
            sound = self._sound_until(heard, self._time_after(place))
            if sound is not None:
                heard += sound.samples.shape[1]
                yield sound

    def sample(self, count: int) -> Iterator[Frame]:
        total = len(self._numbers)
        wanted = min(count, total)
        for i in range(wanted):
            with suppress(SourceError):  # told when it is played
                yield self._frame_at((2 * i + 1) * total // (2 * wanted))

    def close(self) -> None:
        self._next = len(self._numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _time_after(self, place: int) -> int:
        return self._times[place + 1] if place + 1 < len(self._times) else self._end

    def _first_whole(self) -> NDArray[np.uint8]:
        trouble: SourceError | None = None
        for place, number in enumerate(self._numbers):
            try:
                pixels = self._picture(number)
            except SourceError as error:
                trouble = trouble or error
                self._leave_out(error)
                continue
            self._next = place
            return pixels
        raise trouble or SourceError(f"{self._name}: expected pictures, got none; check the path")

    def _leave_out(self, error: SourceError) -> None:
        self._broken += 1
        if len(self._warnings) < _TOLD:
            self._warnings.append(f"{error} (left out)")

    def _frame_at(self, place: int) -> Frame:
        pixels = self._picture(self._numbers[place])
        pts = self._times[place]
        layout: Layout = "rgba" if pixels.shape[2] == 4 else "rgb24"
        return Frame(pixels, pts, self._time_base, duration=self._time_after(place) - pts, layout=layout)

    def _sound_until(self, heard: int, time: int) -> Sound | None:
        format = self._info.sound
        if format is None or self._tone is None:
            return None
        count = round(time * self._time_base * format.rate) - heard
        if count <= 0:
            return None
        return Sound(self._tone(heard, count), heard, Fraction(1, format.rate), format)


def pictures_of_folder(folder: Path, name: str) -> list[Path]:
    """The pictures in a folder in the order of the numbers in their names.

    Raises:
        SourceError: there is none.
    """
    found = sorted(
        (path for path in _inside(folder, name) if is_listed(path.name) and os.path.isfile(path)), key=_natural
    )
    if not found:
        raise SourceError(
            f"{name}: expected pictures (PNG, JPEG, WebP, TIFF, AVIF, HEIC, BMP) in this folder, got none"
        )
    return found


def pictures_of_pattern(pattern: str) -> list[Path]:
    """The files that a printf (`%04d.png`) or glob (`*.jpg`) pattern names, in the order of their numbers.

    Raises:
        SourceError: there is none.
    """
    folder, last = os.path.split(pattern)
    try:
        os.stat(folder or os.curdir)
    except PermissionError as error:  # which searching for names passes over
        reason = reason_of(error)
        raise SourceError(f"{pattern}: expected pictures, got an error ({reason}); change its permissions") from error
    except (OSError, ValueError):
        pass
    names = Numbered.of(last)
    if names is None:
        found = [Path(match) for match in glob.glob(pattern)]
    else:
        there = _inside(Path(folder), pattern) if os.path.isdir(folder or os.curdir) else []
        found = [path for path in there if names.fits(path.name)]
    files = sorted((path for path in found if os.path.isfile(path)), key=_natural)
    if not files:
        raise SourceError(f"{pattern}: expected pictures that fit this pattern, got none; check folder and digits")
    return files


def picture_source(files: Sequence[Path], *, name: str, rate: Fraction, span: Span, alpha: bool) -> IndexedSource:
    """A source that plays `files` at `rate`, each scaled to the size of the first one.

    A single picture is one frame, or is shown for the whole of a span that has a duration.

    Raises:
        SourceError: no picture decodes, or a start past the end.
        SettingError: a rate that is not positive.
    """
    numbers = played_numbers(len(files), name, rate, span)
    reader = PictureReader(alpha=alpha)
    return IndexedSource(name, _Cached(reader, files).read, numbers, rate=rate)


def played_numbers(count: int, name: str, rate: Fraction, span: Span) -> Sequence[int]:
    """Which of `count` pictures at `rate` lie in `span`; a single one lies in all of it.

    Raises:
        SourceError: none does.
        SettingError: a rate that is not positive.
    """
    if rate <= 0:
        raise SettingError(f"rate must be more than 0 frames per second, got {float(rate):g}")
    if count == 1 and not span.start:
        return [0] * (span.count(None, rate) or 1)
    left = span.count(count, rate) or 0
    if left == 0:
        raise past_the_end(name, (count - 1) / rate, span.start)
    return range(count - _left_after(count, span, rate), count)[:left]


def _left_after(count: int, span: Span, rate: Fraction) -> int:
    return Span(span.start).count(count, rate) or 0


class _Cached:
    """Reads pictures of files and keeps the last one: it is the next one where one picture is shown for long."""

    def __init__(self, reader: PictureReader, files: Sequence[Path]) -> None:
        self._reader = reader
        self._files = files
        self._last: tuple[int, NDArray[np.uint8]] | None = None

    def read(self, number: int) -> NDArray[np.uint8]:
        if self._last is None or self._last[0] != number:
            path = self._files[number]
            self._last = number, self._reader.read(path, os.fspath(path))
        return self._last[1]


def _inside(folder: Path, name: str) -> list[Path]:
    try:
        there = list(folder.iterdir())
    except OSError as error:
        reason, cure = reason_of(error), cure_of(error, "check it")
        raise SourceError(f"{name}: expected a folder that may be read, got an error ({reason}); {cure}") from error
    if not os.access(folder, os.X_OK):  # names can be read, and nothing else
        raise SourceError(f"{name}: expected a folder that may be entered, got another; change its permissions")
    return there


def is_listed(name: str) -> bool:
    """Whether a file of this name in a folder is one of its pictures."""
    return os.path.splitext(name)[1].lower() in PICTURE_ENDINGS and not name.startswith(".")


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts numbers in names by value."""
    parts = re.split(r"(\d+)", path.stem)
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in parts], path.name
