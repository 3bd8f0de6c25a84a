"""Animated pictures without a video container: APNG, WebP, and concatenated JPEGs (raw MJPEG)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from mien.capture import png, still
from mien.capture.image import PictureReader
from mien.capture.sequence import IndexedSource, played_numbers
from mien.capture.source import Span, past_the_end
from mien.capture.still import Kind
from mien.errors import SourceError

TIME_BASE = Fraction(1, 90_000)
_AT_ONCE = Fraction(1, 100)
_INSTEAD = Fraction(1, 10)
"""Seconds: shortest delay that is taken literally, and the delay used for shorter ones, as in browsers."""
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")


def is_video(path: Path, kind: Kind) -> bool:
    """Whether a picture file that moves is decoded by libav: GIF, and sequences of AVIF and HEIC.

    Raises:
        SourceError: a damaged GIF.
    """
    if kind == "GIF":
        with still.as_source_errors(kind, str(path)), still.quietly(), path.open("rb") as file:
            return still.moves(file)
    if kind not in ("AVIF", "HEIC"):
        return False
    with path.open("rb") as file:
        return any(brand in file.read(still.HEAD) for brand in _SEQUENCE_BRANDS)


def animation(path: Path, kind: Kind, *, name: str, rate: Fraction, span: Span, alpha: bool) -> IndexedSource | None:
    """A source over a file that moves; None for a single picture.

    Args:
        rate: frames per second of JPEGs one after the other, which have no times.

    Raises:
        SourceError: damaged, or a start past the end.
        SettingError: a rate that is not positive.
    """
    reader = PictureReader(alpha=alpha)
    if kind == "JPEG":
        places = _places_of_jpegs(path)
        if len(places) < 2:
            return None
        numbers = played_numbers(len(places), name, rate, span)
        return IndexedSource(name, _Jpegs(path.absolute(), places, name, reader).read, numbers, rate=rate)
    if kind not in ("PNG", "WebP"):
        return None
    data = path.read_bytes()
    delays = list(_delays_of_png(data) if kind == "PNG" else _delays_of_webp(data))
    if len(delays) < 2:
        return None
    pictures = _Animation(data, kind, name, reader)
    delays += delays[-1:] * (pictures.count - pictures.skipped - len(delays))  # cut off: told where they are missing
    return _timed(name, pictures, delays, span)


def _timed(name: str, pictures: _Animation, delays: Sequence[Fraction], span: Span) -> IndexedSource:
    times = list(accumulate(delays, initial=Fraction(0)))
    whole = times.pop()
    end = whole if span.duration is None else min(whole, span.start + span.duration)
    played = [number for number, time in enumerate(times) if span.start <= time < end]
    if not played:
        raise past_the_end(name, times[-1], span.start)
    begin = times[played[0]]
    return IndexedSource(
        name,
        pictures.read,
        played,
        rate=Fraction(len(times) / whole).limit_denominator(1001),
        times=[round((times[number] - begin) / TIME_BASE) for number in played],
        end=round((end - begin) / TIME_BASE),
        time_base=TIME_BASE,
    )


class _Animation:
    """Frames of one animation file, composed by Pillow."""

    def __init__(self, data: bytes, kind: Kind, name: str, reader: PictureReader) -> None:
        self._data = data
        self._kind: Kind = kind
        self._name = name
        self._reader = reader
        self._image = still.opened(data, kind, name)
        self.count = int(getattr(self._image, "n_frames", 1))
        self.skipped = int(getattr(self._image, "default_image", False))
        """APNG's picture for programs that do not know it."""
        still.need_decodable(self._image.size, name)

    def read(self, number: int) -> NDArray[np.uint8]:
        with still.as_source_errors(self._kind, self._name):
            if number + self.skipped < self._image.tell():  # Pillow does not go back in all of them
                self._image = still.opened(self._data, self._kind, self._name)
            with still.quietly():
                self._image.seek(number + self.skipped)
                self._image.load()
            return self._reader.read_loaded(self._image, self._data, self._kind)


class _Jpegs:
    """Concatenated JPEGs of one file at `places` (first byte, bytes)."""

    def __init__(self, path: Path, places: Sequence[tuple[int, int]], name: str, reader: PictureReader) -> None:
        self._path = path
        self._places = places
        self._name = name
        self._reader = reader

    def read(self, number: int) -> NDArray[np.uint8]:
        begin, length = self._places[number]
        with self._path.open("rb") as file:
            file.seek(begin)
            return self._reader.read_bytes(file.read(length), "JPEG", f"{self._name}, picture {number + 1}")


def _places_of_jpegs(path: Path) -> list[tuple[int, int]]:
    """Where JPEGs of one size lie; fewer than two where a file is one picture, whatever lies behind it.

    Phones put further pictures behind the first one (another eye's, a map of its highlights), and say so in it.
    """
    try:
        with av.open(f"file:{path}", format="mjpeg") as container:
            packets = (bytes(packet) for packet in container.demux(video=0) if packet.size)
            first = list(islice(packets, 2))
            if len(first) < 2 or not _are_alike(*first):
                return []
            lengths = [len(packet) for packet in first] + [len(packet) for packet in packets]
    except av.FFmpegError:
        return []
    return list(zip(accumulate(lengths, initial=0), lengths, strict=False))


def _are_alike(first: bytes, second: bytes) -> bool:
    try:
        with still.as_source_errors("JPEG", ""), still.quietly():
            one, other = JpegImageFile(io.BytesIO(first)), JpegImageFile(io.BytesIO(second))
    except SourceError:
        return False
    return one.size == other.size and "mp" not in one.info


def _delays_of_png(data: bytes) -> Iterator[Fraction]:
    """Delay in seconds of each picture of an APNG file; empty if it is a still."""
    for kind, body in png.chunks(data):
        if kind == b"fcTL" and len(body) >= 24:
            numerator, denominator = struct.unpack_from(">HH", body, 20)
            yield _delay(Fraction(numerator, denominator or 100))


def _delays_of_webp(data: bytes) -> Iterator[Fraction]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"ANMF":
            yield _delay(Fraction(int.from_bytes(data[at + 20 : at + 23], "little"), 1000))
        at += 8 + length + length % 2


def _delay(seconds: Fraction) -> Fraction:
    return _INSTEAD if seconds <= _AT_ONCE else seconds
