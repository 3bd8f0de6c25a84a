"""JPEG and PNG, decoded by libav in a third to a half of Pillow's time, with a closer look for damage."""

from __future__ import annotations

import re
import struct

import av
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from mien.capture import png

_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""Of a JPEG file, where no pixels are: among them its byte is followed by 0, or by the number of a restart."""
_END = 0xD9
_MOST_LOWRES = 3


def decoded(data: bytes, size: tuple[int, int], max_side: int) -> VideoFrame | None:
    """The picture in a JPEG or PNG file; None for a kind of JPEG that only Pillow reads.

    Args:
        size: (width, height) by the header.
        max_side: a JPEG is shrunk by a power of two on the way, as long as its longer side stays so long.

    Raises:
        ValueError: codes that mean nothing, or pixels that break off.
        MemoryError: it does not fit.
    """
    is_jpeg = data.startswith(b"\xff\xd8")
    if is_jpeg:
        _need_end(data)
    else:
        data = data[: png.end_of(data)]  # with it libav takes the rows that are there for all of them
    decoder = CodecContext.create("mjpeg" if is_jpeg else "png", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    if is_jpeg:
        decoder.options |= {"lowres": str(_lowres(size, max_side))}
    try:
        frames = [*decoder.decode(Packet(data)), *decoder.decode(None)]
    except av.error.PatchWelcomeError:
        return None
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise ValueError("its pixels are damaged or break off") from error
    if not frames:
        raise ValueError("its pixels break off")
    return frames[0]


def _need_end(data: bytes) -> None:
    """A progressive JPEG may break off between two scans, and then has pixels everywhere, but coarse ones."""
    at = 2
    while (found := _MARKER.search(data, at)) is not None:
        if data[found.start() + 1] == _END:
            return
        if found.start() + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, found.start() + 2)
        at = found.start() + 2 + length
    raise ValueError("its end is missing")


def _lowres(size: tuple[int, int], max_side: int) -> int:
    """By how many powers of two a JPEG may be shrunk while decoding and still reach `max_side`."""
    return next((power for power in range(_MOST_LOWRES, 0, -1) if max(size) >> power >= max_side), 0)
