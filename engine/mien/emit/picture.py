"""One frame -> the bytes of a PNG or JPEG file that says what it is."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from mien.errors import SinkError
from mien.frame import Frame, Layout

Kind = Literal["png", "jpeg"]
ENDINGS: dict[str, Kind] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}

_PNG_HEAD = 33
"""Bytes of signature and IHDR chunk."""
_JPEG_LIMIT = 65533
_JPEG_QUANTISER = "2"
_PNG_LEVEL = "4"


class PictureEncoder:
    """Encodes frames of one size and layout as pictures of one kind, with `tags` in each."""

    def __init__(self, kind: Kind, tags: Mapping[str, str], name: str) -> None:
        """`name`: the output as the user called it, for messages."""
        self._kind: Kind = kind
        self._tags = tags
        self._name = name
        self._encoder: VideoCodecContext | None = None
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._reformatter = VideoReformatter()

    def encode(self, frame: Frame) -> bytes:
        """The file's bytes; PNG keeps an alpha, JPEG drops it.

        Raises:
            SinkError: the picture cannot be encoded.
        """
        if self._encoder is None or self._shape != frame.pixels.shape:
            self._shape = frame.pixels.shape
            self._encoder = self._new_encoder(*frame.size, frame.layout)
        picture = self._picture(frame)
        picture.pts = self._count
        picture.time_base = Fraction(1, 25)
        self._count += 1
        data = b"".join(bytes(packet) for packet in self._encoder.encode(picture))
        if not data:
            raise SinkError(f"{self._name}: expected a picture that can be encoded, got {frame.pixels.shape}")
        return with_png_text(data, self._tags) if self._kind == "png" else with_jpeg_comment(data, self._tags)

    def _new_encoder(self, width: int, height: int, layout: Layout) -> VideoCodecContext:
        encoder = CodecContext.create("png" if self._kind == "png" else "mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = width, height
        encoder.time_base = Fraction(1, 25)
        encoder.thread_count = 1
        if self._kind == "png":
            encoder.pix_fmt = "rgba" if layout == "rgba" else "rgb24"
            encoder.options = {"compression_level": _PNG_LEVEL, "pred": "mixed"}
        else:
            encoder.pix_fmt = "yuvj444p"
            encoder.options = {"qmin": _JPEG_QUANTISER, "qmax": _JPEG_QUANTISER}
        return encoder

    def _picture(self, frame: Frame) -> VideoFrame:
        keep_alpha = frame.layout == "rgba" and self._kind == "png"
        pixels = frame.pixels if keep_alpha else np.ascontiguousarray(frame.pixels[:, :, :3])
        picture = VideoFrame.from_numpy_buffer(pixels, format="rgba" if keep_alpha else "rgb24")
        if self._kind == "png":
            return picture
        return self._reformatter.reformat(
            picture,
            format="yuvj444p",
            dst_colorspace=int(Colorspace.ITU601),
            dst_color_range=int(ColorRange.JPEG),
            threads=1,
        )


def with_png_text(data: bytes, tags: Mapping[str, str]) -> bytes:
    """A PNG file with `tags` as text chunks behind its header."""
    return data[:_PNG_HEAD] + b"".join(_text_chunk(key, value) for key, value in tags.items()) + data[_PNG_HEAD:]


def with_jpeg_comment(data: bytes, tags: Mapping[str, str]) -> bytes:
    """A JPEG file with `tags` as comments, one "key: value" each, behind its first segments."""
    at = 2
    while data[at : at + 1] == b"\xff" and 0xE0 <= data[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    lines = (f"{key}: {value}".encode()[:_JPEG_LIMIT] for key, value in tags.items())
    return data[:at] + b"".join(b"\xff\xfe" + struct.pack(">H", len(line) + 2) + line for line in lines) + data[at:]


def _text_chunk(key: str, value: str) -> bytes:
    keyword = key.encode("latin-1", "replace")[:79].replace(b"\0", b" ")
    if value.isascii():
        return _chunk(b"tEXt", keyword + b"\0" + value.encode())
    return _chunk(b"iTXt", keyword + b"\0\0\0\0\0" + value.encode())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
