"""Decoding of large PNG files strip by strip, in constant memory, scaled down on the way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Samples per pixel by colour type; palettes are never large."""
_STRIP_BYTES = 1 << 24
_AROUND = 12
"""Bytes of a chunk beside its body."""
_ANCILLARY = 0x20
"""Of the first letter of a chunk's kind: a picture can be shown without it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The IHDR chunk, as far as strips need it."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def has_colour(self) -> bool:
        """Whether it is more than grey levels."""
        return bool(self.colour & 2)

    @property
    def has_alpha(self) -> bool:
        """Whether each pixel says how opaque it is."""
        return bool(self.colour & 4)

    @property
    def row_bytes(self) -> int:
        """Of the pixels of one row, without its filter byte."""
        return self.width * _CHANNELS[self.colour] * self.depth // 8


def header_of(data: bytes) -> Header | None:
    """The header of a PNG file, None where `data` is none."""
    if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, depth, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    return Header(width, height, depth, colour, bool(interlace))


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def body_of(data: bytes, kind: bytes) -> bytes | None:
    """The body of the first chunk of a kind; None where a file has none."""
    return next((bytes(body) for found, body in chunks(data) if found == kind), None)


def end_of(data: bytes) -> int:
    """Where the chunk begins that ends a file; the file's size where there is none."""
    at = len(SIGNATURE)
    for kind, body in chunks(data):
        if kind == b"IEND":
            break
        at += _AROUND + len(body)
    return min(at, len(data))


def checked(data: bytes) -> bytes:
    """A file without those chunks whose checksum is wrong and that a picture can be shown without.

    Pillow does not look at the checksums of pixels, and takes none of the others' amiss.

    Raises:
        ValueError: the checksum of a chunk that it cannot be shown without is wrong.
    """
    kept, start, at = [], 0, len(SIGNATURE)
    for kind, body in chunks(data):
        begin, at = at, at + _AROUND + len(body)
        if at > len(data) or data[at - 4 : at] == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
            continue
        if not kind[0] & _ANCILLARY or kind == b"fdAT":
            raise ValueError(f"the checksum of a chunk {kind.decode('ascii', 'replace')} is wrong")
        kept.append(data[start:begin])
        start = at
    return b"".join([*kept, data[start:]]) if kept else data


def can_split(data: bytes, header: Header) -> bool:
    """Whether `strips` can decode the file: 8 or 16 bit, not interlaced, no palette, no transparent colour."""
    plain = header.colour in _CHANNELS and header.depth in (8, 16) and not header.interlaced
    return plain and header.row_bytes <= _STRIP_BYTES and body_of(data, b"tRNS") is None


def strips(data: bytes, header: Header, multiple: int) -> Iterator[VideoFrame]:
    """The picture from top to bottom in strips whose rows, but for the last strip's, are a multiple of `multiple`.

    Raises:
        ValueError: damaged, or cut off.
        av.FFmpegError: damaged.
    """
    left = header.height
    rows = max(1, _STRIP_BYTES // (header.row_bytes * multiple)) * multiple
    row = header.row_bytes + 1
    above: bytes | None = None
    for filtered in _blocks(data, rows * row, header.height * row):
        count = len(filtered) // row
        if count == 0:
            break
        frame = _decode(header, count, above, filtered[: count * row])
        left -= count
        skip = 0 if above is None else 1
        above = _last_row(frame, header.row_bytes)
        yield _without_rows(frame, skip) if skip else frame
    if left:
        raise ValueError(f"it ends {left:,} rows before its end")


def _blocks(data: bytes, size: int, total: int) -> Iterator[bytes]:
    """The inflated picture in blocks of `size` bytes."""
    inflate = zlib.decompressobj()
    block = bytearray()
    for kind, body in chunks(data):
        if kind != b"IDAT":
            continue
        feed: bytes = bytes(body)
        while feed and total > 0:
            try:
                part = inflate.decompress(feed, size - len(block))
            except zlib.error as error:
                raise ValueError("its compressed pixels are damaged") from error
            feed = inflate.unconsumed_tail
            block += part
            if len(block) == size:
                total -= size
                yield bytes(block)
                block.clear()
            elif not part:
                break
    yield bytes(block)


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk; the last body may be cut off."""
    view = memoryview(data)
    at = len(SIGNATURE)
    while at + _AROUND <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, view[at + 8 : at + 8 + length]
        at += _AROUND + length


def _decode(header: Header, count: int, above: bytes | None, filtered: bytes) -> VideoFrame:
    """Let libav undo the row filters; `above`, the unfiltered row before, goes along as a row of its own."""
    first = b"" if above is None else b"\0" + above
    height = count + (above is not None)
    head = struct.pack(">IIBBBBB", header.width, height, header.depth, header.colour, 0, 0, 0)
    picture = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(first + filtered, 0)) + chunk(b"IEND", b"")
    decoder = CodecContext.create("png", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    return [*decoder.decode(Packet(SIGNATURE + picture)), *decoder.decode(None)][0]


def _rows(frame: VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)


def _last_row(frame: VideoFrame, row_bytes: int) -> bytes:
    return _rows(frame)[-1, :row_bytes].tobytes()


def _without_rows(frame: VideoFrame, skip: int) -> VideoFrame:
    rest = VideoFrame(frame.width, frame.height - skip, frame.format.name)
    target = _rows(rest)
    source = _rows(frame)[skip:]
    width = min(target.shape[1], source.shape[1])
    target[:, :width] = source[:, :width]
    rest.color_range = frame.color_range
    rest.colorspace = frame.colorspace
    return rest
