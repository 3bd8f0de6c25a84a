"""The pattern of the invisible mark: a grid of cells that are a little brighter or darker, by a key and a payload.

Cells are squares, 64 along the shorter side, counted from the middle of the picture, so that a scaled picture has the
same grid and one that is cropped a part of it. A third of the cells is the same for all payloads of a key and says
where the grid lies; each of the others stands for one bit of the code word. This is direct-sequence spread spectrum:
I. J. Cox et al., "Secure Spread Spectrum Watermarking for Multimedia", 1997.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.marking import bch
from mien.marking.payload import Payload

Floats = NDArray[np.float32]

KEY: Final = b"mien"
"""That marks are drawn and read with unless another one is given: it keeps nothing secret, so anyone can verify."""
CELLS: Final = 64
"""Along the shorter side."""
REACH: Final = 256
"""Cells along each side of the grid: pictures may be four times as long as high."""
SYNC: Final = 1 / 3
"""Share of cells that are the same for all payloads."""
STRENGTH: Final = 1.7
"""Grey levels by which a cell's middle is changed."""


@dataclass(frozen=True, slots=True, eq=False)
class CellGrid:
    """What a key lays out; (256, 256) both, the middle of the picture at the corner of the four middle cells."""

    sign: NDArray[np.int8]
    """-1 or 1."""
    bit: NDArray[np.int16]
    """The place in the code word that a cell stands for; -1: it is the same for all payloads."""

    def values(self, payload: Payload) -> NDArray[np.int8]:
        """(256, 256): -1 or 1, with a payload."""
        word = bch.encode(payload.bits)
        bits = np.array([1 - 2 * (word >> place & 1) for place in range(bch.LENGTH)] + [1], np.int8)
        return np.asarray(self.sign * bits[self.bit])


def grid_of(key: bytes = KEY) -> CellGrid:
    """The grid of a key. Bytes come from SHAKE-256, the same everywhere and for all time."""
    drawn = hashlib.shake_256(b"mien invisible mark 1" + key).digest(3 * REACH**2)
    numbers = np.frombuffer(drawn, np.uint8).reshape(3, REACH, REACH)
    sign = (1 - 2 * (numbers[0] & 1).astype(np.int8)).astype(np.int8)
    place = (numbers[1].astype(np.int16) * 256 + numbers[2]) % bch.LENGTH
    bit = np.where(numbers[0] >> 1 < SYNC * 128, -1, place)
    return CellGrid(sign, bit.astype(np.int16))


def levels_of(payload: Payload, width: int, height: int, key: bytes = KEY) -> NDArray[np.uint8]:
    """(H, W): the mark of a picture, as `mien_kernels.ops.add_levels` takes it: 128 adds nothing."""
    values = grid_of(key).values(payload).astype(np.float32) * np.float32(STRENGTH)
    return np.asarray(np.rint(laid(values, width, height)) + 128, dtype=np.uint8)


def laid(values: Floats, width: int, height: int) -> Floats:
    """(H, W): a grid's values (256, 256) on a picture, cubic between the middles of cells."""
    cell = min(width, height) / CELLS
    middle = (REACH - 1) / 2
    # to cells from pixels: the middle of the picture is the middle of the grid
    matrix = np.array([[1 / cell, 0, middle - (width - 1) / 2 / cell], [0, 1 / cell, middle - (height - 1) / 2 / cell]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT))
