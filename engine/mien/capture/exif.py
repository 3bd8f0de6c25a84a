"""Which way up a picture is: the orientation tag of an EXIF block."""

from __future__ import annotations

import struct

from mien.capture.pixels import Turn

_ORIENTATION_TAG = 0x0112
_ENTRIES_LIMIT = 512
_TURNS = {
    1: Turn.NONE,
    2: Turn.MIRROR_X,
    3: Turn.MIRROR_X | Turn.MIRROR_Y,
    4: Turn.MIRROR_Y,
    5: Turn.TRANSPOSE,
    6: Turn.TRANSPOSE | Turn.MIRROR_X,
    7: Turn.TRANSPOSE | Turn.MIRROR_X | Turn.MIRROR_Y,
    8: Turn.TRANSPOSE | Turn.MIRROR_Y,
}


def turn_of_exif(block: bytes) -> Turn:
    """How stored pixels are made upright by an EXIF block; none where it does not say, or is damaged.

    Pillow's own reader of the block warns of a damaged one on standard error.
    """
    try:
        return _TURNS.get(_orientation(block.removeprefix(b"Exif\0\0")), Turn.NONE)
    except struct.error:
        return Turn.NONE


def _orientation(tiff: bytes) -> int:
    order = "<" if tiff.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for index in range(min(entries, _ENTRIES_LIMIT)):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * index)
        if tag == _ORIENTATION_TAG:
            return int(value)
    return 1
