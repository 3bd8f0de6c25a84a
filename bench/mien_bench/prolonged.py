"""A driver as long as wanted: a clip's packets copied again and again behind each other, without decoding any."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container.input import InputContainer
from av.stream import Stream

from mien.errors import SourceError


def prolong(clip: Path, seconds: float, path: Path) -> None:
    """Write to `path` (an .mp4) the video and sound of `clip` in laps until `seconds` are full.

    Raises:
        SourceError: the clip has no video, or codecs that mp4 does not hold.
    """
    try:
        with av.open(str(clip)) as source, av.open(str(path), "w") as out:
            if not source.streams.video:
                raise SourceError(f"{clip}: expected a video, got none; name another clip")
            chosen = [source.streams.video[0], *source.streams.audio[:1]]
            copies = {stream.index: out.add_stream_from_template(stream) for stream in chosen}
            lap = _lap(source, chosen)
            for number in range(math.ceil(seconds / lap)):
                _copy(source, chosen, copies, out, number * lap, Fraction(seconds))
    except (av.FFmpegError, ValueError) as error:
        raise SourceError(f"{clip}: cannot be copied into mp4 ({error}); convert it to H.264 and AAC first") from error


def _lap(source: InputContainer, chosen: list[Any]) -> Fraction:
    """Seconds from one lap to the next, in whole frames: the longest stream ends before the next lap begins."""
    begin, end = Fraction(0), Fraction(0)
    for packet in source.demux(chosen):
        if packet.dts is not None and packet.pts is not None:
            base = packet.time_base
            begin = min(begin, packet.dts * base)
            end = max(end, (max(packet.pts, packet.dts) + (packet.duration or 0)) * base)
    rate = chosen[0].average_rate or Fraction(25)
    return Fraction(max(1, math.ceil((end - begin) * rate))) / rate


def _copy(
    source: InputContainer, chosen: list[Any], copies: dict[int, Stream], out: Any, begin: Fraction, end: Fraction
) -> None:
    source.seek(0)
    for packet in source.demux(chosen):
        if packet.dts is None or packet.pts is None:
            continue
        later = round(begin / packet.time_base)
        if (packet.pts + later) * packet.time_base >= end:
            continue
        packet.pts, packet.dts = packet.pts + later, packet.dts + later
        packet.stream = copies[packet.stream.index]
        out.mux(packet)
