"""Single pictures: upright, 8 bit, and shrunk within a memory bound however large they are."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien.capture import png
from mien.capture.entry import need_file
from mien.capture.exif import turn_of_file
from mien.capture.pixels import PixelReader, describe, upright
from mien.errors import SourceError

MAX_SIDE = 4096
"""Pixels of the longer side that are kept."""
_WHOLE_PIXELS = 1 << 24
"""Pixels up to which a picture is decoded in one piece without a thought."""
_DECODE_BYTES = (1 << 31) - 1
"""What libav allows a picture to take at 8 bytes a pixel."""
_MOST_LOWRES = 3
_HEAD = 32


def read(path: str | os.PathLike[str], max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """The picture in a file as (H, W, 3) uint8 sRGB, C-contiguous.

    EXIF orientation is applied, transparency flattened over black, and the longer side shrunk to `max_side` pixels
    where it is longer: a 20,000 pixel PNG or JPEG never stands in memory at full size. Of an animation the first
    picture is read.

    Raises:
        SourceError: no such file, not a picture, damaged, or larger than can be decoded.
    """
    name = os.fspath(path)
    file = Path(path)
    need_file(file, name)
    return PictureReader(max_side=max_side).read(file, name)


def is_picture(path: Path) -> bool:
    """Whether a file's first bytes are those of a still picture."""
    with path.open("rb") as file:
        return _codec_of(file.read(_HEAD)) is not None


def stored_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of a JPEG or PNG by its header alone; None for what has none, and for other kinds."""
    data = path.read_bytes()
    codec = _codec_of(data[:_HEAD])
    return None if codec is None else _size_of(data, codec)


class PictureReader:
    """Reads pictures one after the other, all to the size of the first one."""

    def __init__(self, *, alpha: bool = False, max_side: int = MAX_SIDE) -> None:
        self._alpha = alpha
        self._max_side = max_side
        self._size: tuple[int, int] | None = None

    def read(self, path: Path, name: str) -> NDArray[np.uint8]:
        """(H, W, 3) or, with `alpha`, (H, W, 4) uint8.

        Raises:
            SourceError: not a picture, damaged, or larger than can be decoded.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{name}: expected a picture, could not read it ({error}); check the path") from error
        codec = _codec_of(data[:_HEAD])
        pixels = self._decode(data, codec, name) if codec is not None else self._from_container(path, name)
        if self._size is None:
            self._size = pixels.shape[1], pixels.shape[0]
        return resized(pixels, *self._size)

    def _decode(self, data: bytes, codec: str, name: str) -> NDArray[np.uint8]:
        try:
            return upright(self._stored(data, codec, name), turn_of_file(data))
        except av.FFmpegError as error:
            raise SourceError(
                f"{name}: expected a picture, got a damaged {codec.upper()} file ({describe(error)}); save it again"
            ) from error

    def _stored(self, data: bytes, codec: str, name: str) -> NDArray[np.uint8]:
        size = _size_of(data, codec)
        if size is not None and size[0] * size[1] > _WHOLE_PIXELS:
            header = png.header_of(data)
            if header is not None and png.can_split(data, header):
                return self._from_strips(data, header)
            _need_decodable(size, name)
        frame = _decode_whole(data, codec, _lowres(size, self._max_side) if codec == "mjpeg" else 0)
        if frame is None:
            raise SourceError(f"{name}: expected a picture, got a damaged {codec.upper()} file; save it again")
        return self._pixels(self._max_side).read(frame, oriented=False)

    def _from_strips(self, data: bytes, header: png.Header) -> NDArray[np.uint8]:
        factor = -(-max(header.width, header.height) // self._max_side)
        reader = self._pixels(None)
        parts = []
        for strip in png.strips(data, header, factor):
            size = -(-header.width // factor), -(-strip.height // factor)
            parts.append(reader.read(strip, oriented=False, size=size))
        if not parts:
            raise av.error.InvalidDataError(0, "no row decodes")
        return np.concatenate(parts)

    def _from_container(self, path: Path, name: str) -> NDArray[np.uint8]:
        from mien.capture.video import first_picture

        return first_picture(path, name, self._pixels(self._max_side))

    def _pixels(self, max_side: int | None) -> PixelReader:
        return PixelReader(alpha=self._alpha, max_side=max_side, still=True)


def resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) uint8 stretched to a size; the same array where it has it already."""
    if pixels.shape[:2] == (height, width):
        return pixels
    frame = VideoFrame.from_numpy_buffer(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
    return PixelReader(alpha=pixels.shape[2] == 4).read(frame, size=(width, height))


def _codec_of(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "mjpeg"
    if head.startswith(png.SIGNATURE):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    return "bmp" if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" else None


def _size_of(data: bytes, codec: str) -> tuple[int, int] | None:
    """(width, height) by the header, where it is known how to read it."""
    if codec == "mjpeg":
        return _jpeg_size(data)
    header = png.header_of(data) if codec == "png" else None
    return (header.width, header.height) if header is not None else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        length, height, width = struct.unpack_from(">HxHH", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return width, height
        at += 2 + length
    return None


def _lowres(size: tuple[int, int] | None, max_side: int) -> int:
    """By how many powers of two a JPEG may be shrunk while decoding and still reach `max_side`."""
    if size is None:
        return 0
    return next((power for power in range(_MOST_LOWRES, 0, -1) if max(size) >> power >= max_side), 0)


def _need_decodable(size: tuple[int, int], name: str) -> None:
    width, height = size
    if (8 * width + 1024) * (height + 128) >= _DECODE_BYTES:
        raise SourceError(
            f"{name}: expected a picture of at most 16,000 x 16,000 pixels, got {width:,} x {height:,}; "
            "shrink it, or save it as PNG without interlacing"
        )


def _decode_whole(data: bytes, codec: str, lowres: int) -> VideoFrame | None:
    decoder = CodecContext.create(codec, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    if lowres:
        decoder.options = {"lowres": str(lowres)}
    frames = [*decoder.decode(Packet(data)), *decoder.decode(None)]
    return frames[0] if frames else None
