"""Which way up a picture is: the EXIF orientation of JPEG, PNG, WebP and TIFF files."""

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


def turn_of_file(data: bytes) -> Turn:
    """How the stored pixels of a picture file are made upright; none where it does not say, or is damaged."""
    try:
        block = _exif_block(data)
        return Turn.NONE if block is None else _TURNS.get(_orientation(block), Turn.NONE)
    except (struct.error, IndexError):
        return Turn.NONE


def _exif_block(data: bytes) -> bytes | None:
    """The TIFF structure that holds the tags."""
    if data.startswith(b"\xff\xd8"):
        return _in_jpeg(data)
    if data.startswith(b"\x89PNG"):
        return _in_png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _in_webp(data)
    return data if data[:4] in (b"II*\0", b"MM\0*") else None


def _in_jpeg(data: bytes) -> bytes | None:
    at = 2
    while data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + length]
        at += 2 + length
    return None


def _in_png(data: bytes) -> bytes | None:
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            return data[at + 8 : at + 8 + length]
        at += 12 + length
    return None


def _in_webp(data: bytes) -> bytes | None:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
        at += 8 + length + length % 2
    return None


def _orientation(tiff: bytes) -> int:
    order = "<" if tiff.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for index in range(min(entries, _ENTRIES_LIMIT)):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * index)
        if tag == _ORIENTATION_TAG:
            return int(value)
    return 1
