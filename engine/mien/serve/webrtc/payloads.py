"""What can be told of encoded video without decoding it."""

from __future__ import annotations

from collections.abc import Iterator

from mien.serve.webrtc.settings import Codec

_SLICE, _KEY_SLICE, _SEI, _SPS, _PPS, _DELIMITER = 1, 5, 6, 7, 8, 9
_TOGETHER, _FRAGMENT = 24, 28
_START = b"\0\0\1"


def begins_frame(codec: Codec, payload: bytes) -> bool:
    """Whether an RTP payload is surely the first one of a picture."""
    if codec == "vp8":  # RFC 7741: start of a partition, the partition's number
        return bool(payload) and bool(payload[0] & 0x10) and not payload[0] & 0x07
    kind = payload[0] & 31 if payload else 0
    if kind == _FRAGMENT and len(payload) > 2:
        return bool(payload[1] & 128) and _begins_picture(payload[1] & 31, payload[2])
    if kind == _TOGETHER and len(payload) > 4:
        return _begins_picture(payload[3] & 31, payload[4])
    return len(payload) > 1 and _begins_picture(kind, payload[1])


def is_key(codec: Codec, data: bytes) -> bool:
    """Whether an encoded picture (H.264 with start codes, VP8 without its descriptor) needs none before it."""
    if codec == "vp8":
        return bool(data) and not data[0] & 1
    return any(kind == _KEY_SLICE for kind in _kinds(data))


def _kinds(data: bytes) -> Iterator[int]:
    """The types of NAL units up to the first slice."""
    at = data.find(_START)
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 31
        yield kind
        if kind in (_SLICE, _KEY_SLICE):
            return
        at = data.find(_START, at + 3)


def _begins_picture(kind: int, first: int) -> bool:
    """`first` is a slice's first byte: its highest bit is set where the slice begins at macroblock 0."""
    return kind in (_SEI, _SPS, _PPS, _DELIMITER) or (kind in (_SLICE, _KEY_SLICE) and bool(first & 128))
