"""Reads the invisible mark: finds the grid in frames, and the payload in the grid, with how sure that is.

Frames are averaged, brought to a few pixels a cell, freed of what is smooth, and divided by how lively each place is,
so that a quiet background counts for more than hair. The grid is found by correlation with what a key lays out, over
all shifts (by Fourier transforms) and a list of scales.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.marking import bch, payload
from mien.marking.pattern import CELLS, KEY, REACH, CellGrid, grid_of
from mien.marking.payload import Payload

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

PER_CELL: Final = 4
"""Pixels along each side of a cell in what is looked at."""
ROUGH, FINE, AROUND = 0.4, 0.25, 0.75
"""Standard deviations in cells: of what counts as smooth, of what counts as noise, and of places' liveliness. Of those
tried, they leave the fewest bits wrong in JPEG files of quality 50."""
FLAT: Final = 0.6
"""Grey levels that are noise anywhere."""
LEAST: Final = 0.55
"""Share of the shorter side of a marked picture that must be there."""
SCALES: Final = tuple(float(scale) for scale in np.geomspace(LEAST, 1.02, 63))
"""Shares that are tried, one in a hundred apart: a cell is a third off at the border then."""
STANDS_OUT: Final = 6.0
"""Standard deviations from which on the payload is read."""
TRIED: Final = 4
"""Scales at which the payload is read, at most: the likeliest ones."""
DOUBTFUL: Final = 12
"""Bits that are tried the other way round, up to two at a time: those whose cells agree least (Chase, 1972)."""
WORDS: Final = 1 + DOUBTFUL + math.comb(DOUBTFUL, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """A mark."""

    payload: Payload
    sync: float
    """Standard deviations by which the grid stands out."""
    wrong: int
    """Bits of the code word that were mended."""
    false_alarm: float
    """Upper bound of the probability that a picture without a mark gives such an answer."""


class Reader:
    """Callable on frames: what mark they have in common."""

    def __init__(self, key: bytes = KEY) -> None:
        self._grid: CellGrid = grid_of(key)

    def __call__(self, frames: Iterable[Pixels]) -> Found | None:
        """The mark of frames (H, W, 3) of one video, or of one picture; None where there is none.

        All must have the size of the first; others are left out.
        """
        mean = mean_luma(frames)
        if mean is None:
            return None
        search = Search(self._grid, mean)
        return search((1.0,)) or search(SCALES)


class Search:
    """Looks for a grid in one picture."""

    def __init__(self, grid: CellGrid, mean: Floats) -> None:
        """`mean`: (H, W), luma."""
        self._mean = mean
        height, width = mean.shape
        self._side = min(width, height)
        # as many cells as a whole picture of this shape has, and those that a crop may have lost at each side
        lost = math.ceil((1 - LEAST) * CELLS)
        cells = [min(math.ceil(CELLS * size / self._side) + 2 * lost, REACH) for size in (height, width)]
        self._first = [(REACH - count) // 2 for count in cells]
        window = tuple(slice(first, first + count) for first, count in zip(self._first, cells, strict=True))
        self._sign, self._bit = grid.sign[window], grid.bit[window]
        sync = np.where(self._bit < 0, self._sign, 0).astype(np.float32)
        spread = np.repeat(np.repeat(sync, PER_CELL, axis=0), PER_CELL, axis=1)
        self._shape = tuple(cv2.getOptimalDFTSize(2 * ((size + 1) // 2)) for size in spread.shape)
        self._room = spread.shape
        self._wanted = np.fft.rfft2(spread, s=self._shape)

    def __call__(self, scales: tuple[float, ...]) -> Found | None:
        """The mark at the likeliest of `scales`, shares of the shorter side of the picture that was marked."""
        places = sorted((self._placed(scale) for scale in scales), key=lambda place: -place.sync)
        for place in places[:TRIED]:
            if place.sync < STANDS_OUT:
                break
            for word in words(self._sums(place)):
                said = _read(word)
                if said is not None:
                    wrong = (word ^ bch.encode(said.bits)).bit_count()
                    chance = false_alarm(place.tried * len(scales), place.sync, wrong)
                    return Found(said, place.sync, wrong, chance)
        return None

    def _placed(self, scale: float) -> Place:
        """The likeliest shift of the grid."""
        height, width = self._mean.shape
        share = scale * CELLS * PER_CELL / self._side
        size = max(round(width * share), PER_CELL), max(round(height * share), PER_CELL)
        how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
        weighted = whitened(np.asarray(cv2.resize(self._mean, size, interpolation=how), np.float32))
        product = self._wanted * np.conj(np.fft.rfft2(weighted, s=self._shape))
        rows, columns = (room - own + 1 for room, own in zip(self._room, weighted.shape, strict=True))
        found = np.fft.irfft2(product, s=self._shape)[:rows, :columns]
        y, x = divmod(int(found.argmax()), columns)
        return Place(float((found[y, x] - found.mean()) / found.std()), y, x, weighted, found.size)

    def _sums(self, place: Place) -> NDArray[np.float64]:
        """(127,): for each bit of the code word what its cells say, summed; below 0: 1."""
        row, column = -(-place.y // PER_CELL), -(-place.x // PER_CELL)
        top, left = row * PER_CELL - place.y, column * PER_CELL - place.x
        rows, columns = ((size - first) // PER_CELL for size, first in zip(place.seen.shape, (top, left), strict=True))
        inside = place.seen[top : top + rows * PER_CELL, left : left + columns * PER_CELL]
        cells = inside.reshape(rows, PER_CELL, columns, PER_CELL).mean(axis=(1, 3))
        part = slice(row, row + rows), slice(column, column + columns)
        sums = np.zeros(bch.LENGTH + 1)
        np.add.at(sums, self._bit[part], cells * self._sign[part])
        return sums[: bch.LENGTH]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a grid lies."""

    sync: float
    """Standard deviations by which it stands out."""
    y: int
    x: int
    """Pixel of the grid's window at which what is seen begins."""
    seen: Floats
    tried: int
    """Shifts that were compared."""


def mean_luma(frames: Iterable[Pixels]) -> Floats | None:
    """(H, W): the mean luma of frames, BT.601; None without any."""
    total: Floats | None = None
    count = 0
    for frame in frames:
        luma = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
        if total is None:
            total = luma
        elif total.shape == luma.shape:
            total += luma
        else:
            continue
        count += 1
    return None if total is None else total / np.float32(count)


def whitened(luma: Floats) -> Floats:
    """(H, W): without what is smooth over cells, in units of how lively each place is."""
    rough = luma - _soft(luma, ROUGH)
    fine = _soft(rough, FINE)
    weighted = fine / (_soft(fine * fine, AROUND) + np.float32(FLAT**2))
    limit = 3 * float(np.sqrt(np.mean(weighted**2)) + 1e-9)
    return np.asarray(np.clip(weighted, -limit, limit), dtype=np.float32)


def _soft(values: Floats, cells: float) -> Floats:
    deviation = cells * PER_CELL
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation, borderType=cv2.BORDER_REFLECT), np.float32)


def words(sums: NDArray[np.float64]) -> Iterator[int]:
    """The word that sums (127,) say, and those with one or two of the most doubtful bits turned round."""
    word = sum(1 << place for place in range(bch.LENGTH) if sums[place] < 0)
    doubtful = [1 << int(place) for place in np.argsort(np.abs(sums), kind="stable")[:DOUBTFUL]]
    yield word
    for count in (1, 2):
        for turned in combinations(doubtful, count):
            yield word ^ sum(turned)


def _read(word: int) -> Payload | None:
    bits = bch.decode(word)
    return None if bits is None else payload.read(bits)


def false_alarm(tried: int, sync: float, wrong: int) -> float:
    """Upper bound of the chance of an answer in a picture without a mark.

    The best of `tried` correlations is at least `sync` standard deviations (each normal), and one of the words read, at
    up to `TRIED` places, lies within `wrong` bits of a code word whose 16 check bits and 4 version bits are right.
    """
    stands_out = min(1.0, tried * 0.5 * math.erfc(sync / math.sqrt(2)))
    near = sum(math.comb(bch.LENGTH, count) for count in range(wrong + 1)) / 2 ** (bch.LENGTH - bch.DATA)
    return float(stands_out * min(1.0, near * 2.0**-20 * TRIED * WORDS))
