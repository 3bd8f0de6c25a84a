"""Pictures in files as a source: one of them, a folder, or a pattern."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import PictureReader
from mien.capture.indexed import IndexedSource
from mien.capture.span import Span
from mien.errors import SettingError, SourceError, reason_of

PICTURE_ENDINGS = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
_PRINTF = re.compile(r"%(?:0?(\d*))d")


def pictures_of_folder(folder: Path, name: str) -> list[Path]:
    """The pictures in a folder in the order of the numbers in their names.

    Raises:
        SourceError: there is none.
    """
    found = sorted((path for path in _inside(folder, name) if _is_listed(path)), key=_natural)
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
        raise SourceError(f"{pattern}: expected pictures, got an error ({reason_of(error)})") from error
    except (OSError, ValueError):
        pass
    found = _numbered(Path(folder), last) if _PRINTF.search(last) else [Path(match) for match in glob.glob(pattern)]
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
        raise SourceError(
            f"{name}: expected a start before the end at {float(count / rate):.2f} s, "
            f"got {float(span.start):g} s; choose an earlier start"
        )
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
        return list(folder.iterdir())
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{name}: expected a folder that may be read, got an error ({reason}); check it") from error


def _is_listed(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith(".") and os.path.isfile(path)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts numbers in names by value."""
    parts = re.split(r"(\d+)", path.stem)
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in parts], path.name


def _numbered(folder: Path, pattern: str) -> list[Path]:
    match = _PRINTF.search(pattern)
    if match is None or not os.path.isdir(folder):
        return []
    digits = int(match.group(1) or 0)
    number = rf"\d{{{digits},}}" if digits else r"\d+"
    before, after = pattern[: match.start()], pattern[match.end() :]
    fits = re.compile(re.escape(before) + number + re.escape(after))
    return [path for path in _inside(folder, os.path.join(folder, pattern)) if fits.fullmatch(path.name)]
