"""`mien bench long`: whether a driver of many minutes runs in constant memory, from decode to a written file."""

from __future__ import annotations

import argparse
import math
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
from av.container.input import InputContainer
from av.stream import Stream

from mien import api
from mien.commands.options import count, positive
from mien.config import ReenactSettings
from mien.errors import SourceError
from mien.stats import Statistics
from mien_bench.control import Control
from mien_bench.material import clips_of, portraits_of
from mien_bench.memory import MemoryLog, resident, slope
from mien_bench.results import Chart, Check, Fact, Line, Result, Row

WARM_UP: Final = 0.2
"""Fraction of the run in which buffers may still grow."""
MOST: Final = 1.0
"""Megabytes that 1000 frames may add afterwards."""


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


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--driver", nargs=1, type=Path, metavar="CLIP", help="played again and again; default: sample")
    parser.add_argument("--portrait", nargs=1, type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--minutes", type=positive, default=20.0, metavar="M", help="length (20)")
    parser.add_argument("--every", type=count, default=1000, metavar="N", help="look at memory every N frames (1000)")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=count, metavar="N")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; prints memory over the run."""
    clip, portrait = clips_of(options.driver)[0], portraits_of(options.portrait)[0]
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    log = MemoryLog(options.every)
    print(f"{clip.name} for {options.minutes:g} minutes x {portrait.name}", flush=True)
    control()
    statistics = prolonged_run(clip, options.minutes * 60, portrait, settings, log)
    control()
    return _result(log, statistics, {"model": options.model, "size": options.size})


def prolonged_run(clip: Path, seconds: float, picture: Path, settings: ReenactSettings, log: MemoryLog) -> Statistics:
    """Render laps of `clip` to H.264 and print memory as `log` records it; the output is not kept."""

    def watch(so_far: Statistics) -> None:
        if log():
            print(f"{so_far.frames_out:>8} frames {resident():8.1f} MB {so_far.fps:6.1f} fps", flush=True)

    with TemporaryDirectory(prefix="mien-bench-") as folder:
        driver = Path(folder) / "driver.mp4"
        prolong(clip, seconds, driver)
        return api.render_file([picture], driver, Path(folder) / "output.mp4", settings, progress=watch)


def _result(log: MemoryLog, statistics: Statistics, condition: dict[str, Fact]) -> Result:
    growth = slope(log.frames, log.megabytes, WARM_UP)
    said = "too short to tell" if growth is None else f"{growth:+.3f} MB"
    rows = [
        Row(name := "frames a second, decode to encode", "fps", (statistics.fps,), "higher", condition, headline=name),
        Row("frames", "", (float(statistics.frames_out),), "neither", condition),
    ]
    if log.megabytes:
        rows.append(Row("resident memory", "MB", tuple(log.megabytes), "neither", condition, each="look"))
    if growth is not None:
        note = f"by a line through what follows the first {WARM_UP:.0%}; may be negative"
        name = "memory that 1000 frames add"
        rows.append(Row(name, "MB", (growth,), "lower", condition, note=note, headline=name))
    line = Line("memory", tuple(map(float, log.frames)), tuple(log.megabytes))
    return Result(
        bench="long",
        about="memory over a driver of many minutes, from decode to a written file",
        rows=tuple(rows),
        checks=(Check("1000 frames add", f"<= {MOST:g} MB", said, growth is None or growth <= MOST),),
        charts=(Chart("Memory over a long driver", "frames", "memory (MB)", (line,)),),
    )
