"""Sources without a file: arrays, and a moving test pattern with known times and sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mien.capture.sequence import IndexedSource, Tone, played_numbers
from mien.capture.source import Span
from mien.errors import SourceError
from mien.sound.sound import SoundFormat

_BITS = 12
_BIT_ROWS = 8
"""The frame's number is drawn as a row of black and white cells, one eighth of the picture high."""
_PITCH = 440.0
_LOUDNESS = 0.5


def array_source(
    arrays: NDArray[np.uint8] | Sequence[NDArray[np.uint8]], *, rate: Fraction = Fraction(25), span: Span | None = None
) -> IndexedSource:
    """A source over one (H, W, 3 or 4) uint8 array, or several of one shape.

    Raises:
        SourceError: another shape or type, none at all, or a start past the end.
        SettingError: a rate that is not positive.
    """
    pictures: list[NDArray[np.uint8]] = (
        [arrays] if isinstance(arrays, np.ndarray) and arrays.ndim == 3 else list(arrays)
    )
    _need_pictures(pictures)
    numbers = played_numbers(len(pictures), "arrays", rate, span or Span())
    return IndexedSource("arrays", lambda number: np.ascontiguousarray(pictures[number]), numbers, rate=rate)


def pattern_source(
    width: int = 320,
    height: int = 240,
    *,
    rate: Fraction | int = 25,
    count: int = 50,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    sound: SoundFormat | None = None,
) -> IndexedSource:
    """A moving pattern of `count` frames that carry their numbers (see `number_of`), with `tone` as its sound.

    Args:
        times: when each frame is shown, in units of `time_base`, for a variable rate; None: evenly at `rate`.
        sound: None for a silent source.
    """
    return IndexedSource(
        "pattern",
        lambda number: pattern(width, height, number),
        range(count),
        rate=Fraction(rate),
        times=times,
        time_base=time_base,
        sound=sound,
        tone=tone_of(sound) if sound is not None else None,
    )


def pattern(width: int, height: int, number: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: a gradient, a disc that moves with `number`, and the number in cells on top."""
    y, x = np.ogrid[:height, :width]
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, :, 0] = 40 + 160 * x // width
    pixels[:, :, 1] = 40 + 160 * y // height
    pixels[:, :, 2] = 90
    radius = min(width, height) // 8
    centre = width / 2 + width / 4 * np.sin(number / 9), height * (0.55 + 0.2 * np.cos(number / 7))
    pixels[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = (230, 60, 70)
    top = height // _BIT_ROWS
    for bit, (left, right) in enumerate(_cells(width)):
        pixels[:top, left:right] = 235 if number >> bit & 1 else 16
    return pixels


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The number of the frame that a `pattern`, also after a lossy codec or scaling, shows."""
    height, width, _ = pixels.shape
    row = pixels[height // (2 * _BIT_ROWS)].mean(axis=1)
    return sum((row[(left + right) // 2] > 127) << bit for bit, (left, right) in enumerate(_cells(width)))


def tone_of(format: SoundFormat) -> Tone:
    """A sine that swells over every second, so that a shift of it can be measured."""

    def tone(first: int, count: int) -> NDArray[np.float32]:
        time = (first + np.arange(count)) / format.rate
        wave = _LOUDNESS * (time % 1) * np.sin(2 * np.pi * _PITCH * time)
        return np.tile(wave.astype(np.float32), (format.channels, 1))

    return tone


def _cells(width: int) -> list[tuple[int, int]]:
    return [(bit * width // _BITS, (bit + 1) * width // _BITS) for bit in range(_BITS)]


def _need_pictures(pictures: Sequence[NDArray[np.uint8]]) -> None:
    if not pictures:
        raise SourceError("arrays: expected at least one picture, got none")
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
            raise SourceError(f"arrays: expected (H, W, 3 or 4) uint8 pictures, got {picture.shape} {picture.dtype}")
        if picture.shape != pictures[0].shape:
            raise SourceError(f"arrays: expected pictures of one shape, got {pictures[0].shape} and {picture.shape}")
