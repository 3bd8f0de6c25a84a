"""A frame's number and time as black and white cells in a strip on top of it, which lossy codecs leave readable.

The strip is `mien.emit.strip`'s, in two rows of 40 cells: 18 bits of number, 30 of time, 32 of CRC, row by row from the
left, highest bit first. A picture that was scaled is read like any other.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.emit.strip import rows_of
from mien.sums import LUMA

Pixels = NDArray[np.uint8]

COLUMNS, ROWS = 40, 2
NUMBER_BITS, TIME_BITS, CHECK_BITS = 18, 30, 32
TICK: Final = 1e-4
"""Seconds per unit of time."""
DARK, LIGHT = 24, 232
"""Grey values, within what limited range and ringing leave."""
_MIDDLE: Final = 128.0
_LEAST: Final = 28.0
"""By how much a cell must be darker or lighter than the middle: noise and most pictures are not."""
_BORDER: Final = 0.2
"""Fraction of a cell's side that is ignored, on each side."""
_LUMA: Final = np.array(LUMA, np.float32)
_BYTES: Final = (NUMBER_BITS + TIME_BITS) // 8


@dataclass(frozen=True, slots=True)
class Code:
    """The content of a strip."""

    number: int
    """Of the frame, modulo 2^18."""
    time: int
    """In units of `TICK`, modulo 2^30."""

    @staticmethod
    def of(number: int, seconds: float) -> Code:
        """For the frame of this number, stamped at this time of a monotonic clock."""
        return Code(number % (1 << NUMBER_BITS), round(seconds / TICK) % (1 << TIME_BITS))

    def age(self, seconds: float) -> float:
        """How long ago the frame was stamped, at a time of the same clock; in seconds from 0 up to 29.8 hours."""
        return ((round(seconds / TICK) - self.time) % (1 << TIME_BITS)) * TICK


def encode(code: Code) -> NDArray[np.bool_]:
    """The cells (2, 40), true where light."""
    payload = (code.number << TIME_BITS | code.time).to_bytes(_BYTES, "big")
    whole = payload + zlib.crc32(payload).to_bytes(CHECK_BITS // 8, "big")
    return np.unpackbits(np.frombuffer(whole, np.uint8)).astype(np.bool_).reshape(ROWS, COLUMNS)


def decode(cells: NDArray[np.bool_]) -> Code | None:
    """Decode cells (2, 40); None where the CRC fails."""
    whole = np.packbits(cells.reshape(-1)).tobytes()
    payload, check = whole[:_BYTES], int.from_bytes(whole[_BYTES:], "big")
    if zlib.crc32(payload) != check:
        return None
    value = int.from_bytes(payload, "big")
    return Code(value >> TIME_BITS, value & ((1 << TIME_BITS) - 1))


def draw(code: Code, pixels: Pixels) -> None:
    """Put the strip into (H, W, 3 or 4) uint8 pixels, in place; an alpha is left as it is."""
    height, width = pixels.shape[:2]
    rows, columns = _cell_of_each(rows_of(height), ROWS), _cell_of_each(width, COLUMNS)
    shade = np.where(encode(code), np.uint8(LIGHT), np.uint8(DARK))
    pixels[: len(rows), :, :3] = shade[rows[:, None], columns[None]][:, :, None]


def read(pixels: Pixels) -> Code | None:
    """What the strip of (H, W, 3 or 4) uint8 pixels says; None where there is none, or it cannot be relied on."""
    return _read_grey(pixels[: rows_of(pixels.shape[0]), :, :3].astype(np.float32) @ _LUMA)


def read_luma(luma: NDArray[np.uint8]) -> Code | None:
    """As `read`, of (H, W) uint8 luma from 16 to 235, as decoders give it: nothing else of the picture is converted."""
    strip = luma[: rows_of(luma.shape[0])].astype(np.float32)
    return _read_grey((strip - 16) * (255 / 219))


def _read_grey(strip: NDArray[np.float32]) -> Code | None:
    down, across = _averaging(strip.shape[0], ROWS), _averaging(strip.shape[1], COLUMNS)
    cells = down @ strip @ across.T - _MIDDLE
    if np.abs(cells).min() < _LEAST:
        return None
    return decode(cells > 0)


def _cell_of_each(length: int, cells: int) -> NDArray[np.intp]:
    """In which of `cells` each of `length` pixels lies."""
    return ((np.arange(length) + 0.5) * cells / length).astype(np.intp)


@lru_cache(maxsize=32)
def _averaging(length: int, cells: int) -> NDArray[np.float32]:
    """(cells, length) weights that average the inner part of each cell, pixels in part where it cuts them."""
    edges = np.arange(cells + 1) * length / cells
    side = length / cells
    low, high = edges[:-1] + _BORDER * side, edges[1:] - _BORDER * side
    place = np.arange(length)
    share = np.minimum(place + 1, high[:, None]) - np.maximum(place, low[:, None])
    weights = share.clip(0, None)
    averaging: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return averaging
