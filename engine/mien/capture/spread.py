"""Samples a few frames evenly over a file, with a container handle of its own, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.capture.container import Opened, open_container, packets_of
from mien.capture.pixels import Deinterlacer, PixelReader, alone
from mien.capture.source import SourceInfo
from mien.frame import Frame

_SHORT_FRAMES = 600
_SHORT_FACTOR = 8
"""A file of at most so many frames, or times those wanted, is decoded straight: that is as fast as seeking."""
_ENOUGH = 24
"""Key frames that do in place of all those wanted; with fewer, the file is decoded straight."""


def sample_file(
    path: Path, name: str, begin: Fraction, info: SourceInfo, count: int, pixels: PixelReader, threads: int
) -> Iterator[Frame]:
    """At most `count` frames over the part that `info` describes, which begins at `begin` of the container's time."""
    with _opening(path, name, threads) as opened:
        whole = None if info.duration is not None else _length(opened)
        length = Fraction(info.duration or 0) if whole is None else max(whole - (begin - opened.origin), Fraction(0))
        targets = [begin + length * (2 * i + 1) / (2 * count) for i in range(count)]
        frames = info.frame_count or round(length * opened.rate)
        looks = whole is None and frames > max(_SHORT_FRAMES, _SHORT_FACTOR * count)
        keys = _keys(opened, targets) if looks else []
        if len(keys) >= min(count, _ENOUGH):
            yield from _frames(opened, _at_keys(opened, keys), begin, pixels)
            return
    held = frames if whole is not None or not looks else _count(path, name, threads)
    with _opening(path, name, threads) as opened:  # anew: not all containers can be gone back in
        if 2 * held < round(length * opened.rate):  # a clock that jumped: most of its time has nothing in it
            yield from _frames(opened, _numbered(opened, begin, held, count), begin, pixels)
        else:
            yield from _frames(opened, _straight(opened, begin, targets), begin, pixels)


def _count(path: Path, name: str, threads: int) -> int:
    """How many pictures a file holds, by its packets."""
    with _opening(path, name, threads) as opened:
        return sum(1 for _ in _packets(opened))


@contextmanager
def _opening(path: Path, name: str, threads: int) -> Iterator[Opened]:
    opened = open_container(path, name, threads, one_by_one=True)
    with opened.container:
        yield opened


def _frames(
    opened: Opened, pictures: Iterator[tuple[VideoFrame, int]], begin: Fraction, pixels: PixelReader
) -> Iterator[Frame]:
    offset = round(begin / opened.time_base)
    for picture, pts in pictures:
        shown = pixels.read(picture, opened.sample_aspect)
        duration = picture.duration or None
        yield Frame(shown, pts - offset, opened.time_base, duration=duration, layout=pixels.layout)


def _length(opened: Opened) -> Fraction:
    """Seconds of a container that does not say, from the times of its packets, all of which are read."""
    packets, last = 0, 0
    for packet in _packets(opened):
        packets += 1
        last = max(last, opened.stamp_of_packet(packet) or 0)
    return max(last * opened.time_base - opened.origin, packets / opened.rate)


def _keys(opened: Opened, targets: Sequence[Fraction]) -> list[int]:
    """Times of the distinct key frames at or before `targets`, in ticks, without decoding."""
    keys: list[int] = []
    for target in targets:
        packet = _seek(opened, int(target / opened.time_base))
        key = None if packet is None else opened.stamp_of_packet(packet)
        if key is not None and (not keys or key > keys[-1]):
            keys.append(key)
    return keys


def _at_keys(opened: Opened, keys: Sequence[int]) -> Iterator[tuple[VideoFrame, int]]:
    for key in keys:
        packet = _seek(opened, key)
        if packet is None:
            continue
        for picture in [*_decode(opened, packet), *_decode(opened, None)][:1]:
            yield alone(picture), key


def _straight(opened: Opened, begin: Fraction, targets: Sequence[Fraction]) -> Iterator[tuple[VideoFrame, int]]:
    sought = begin - opened.origin > 1 and opened.seek(begin - opened.origin - 1)
    step = round(1 / (opened.rate * opened.time_base))
    waiting = [int(target / opened.time_base) for target in reversed(targets)]
    last = round((begin if sought else opened.origin) / opened.time_base) - step
    for picture in frames_of(opened):
        stamp = opened.stamp(picture)
        last = stamp if stamp is not None else last + step
        if not waiting:
            return
        if last + step <= waiting[-1]:
            continue
        while waiting and waiting[-1] < last + step:
            waiting.pop()
        yield picture, last


def _numbered(opened: Opened, begin: Fraction, held: int, count: int) -> Iterator[tuple[VideoFrame, int]]:
    """At most `count` of the `held` pictures, by their number, whatever their times."""
    first, step = round(begin / opened.time_base), round(1 / (opened.rate * opened.time_base))
    wanted = {held * (2 * i + 1) // (2 * count) for i in range(count)}
    for number, picture in enumerate(frames_of(opened)):
        if number in wanted:
            yield picture, first + number * step


def frames_of(opened: Opened) -> Iterator[VideoFrame]:
    """Every frame that decodes, from where the container stands."""
    fields = Deinterlacer()
    for packet in _packets(opened):
        yield from fields.read(_decode(opened, packet))
    yield from fields.read(_decode(opened, None))
    yield from fields.rest()


def _packets(opened: Opened) -> Iterator[Packet[VideoStream]]:
    try:
        found = cast("Iterator[Packet[VideoStream]]", packets_of(opened.container, opened.video))
        yield from (packet for packet in found if packet.size)
    except av.FFmpegError:
        return  # broken off; the playing source warns


def _decode(opened: Opened, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
    try:
        return [picture for picture in opened.decoder.decode(packet) if not picture.is_corrupt]
    except av.FFmpegError:
        return []


def _seek(opened: Opened, ticks: int) -> Packet[VideoStream] | None:
    """The packet of the key frame at or before a time; None where there is none."""
    try:
        opened.container.seek(ticks, stream=opened.video)
    except av.FFmpegError:
        return None
    opened.decoder.flush_buffers()
    return next(_packets(opened), None)
