"""`mien bench long`: whether a driver of many minutes runs in constant memory, from decode to a written file."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mien import api
from mien.commands.options import count, positive
from mien.config import ReenactSettings
from mien.stats import Statistics
from mien_bench.control import Control
from mien_bench.material import clips_of, portraits_of
from mien_bench.memory import MemoryLog, resident, slope
from mien_bench.prolonged import prolong
from mien_bench.results import Chart, Check, Fact, Line, Result, Row

WARM_UP: Final = 0.2
"""Share of the run in which buffers may still grow."""
MOST: Final = 1.0
"""Megabytes that 1000 frames may add afterwards."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.bench.Bench`."""
    parser.add_argument("--driver", nargs=1, type=Path, metavar="CLIP", help="played again and again; default: sample")
    parser.add_argument("--portrait", nargs=1, type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--minutes", type=positive, default=20.0, metavar="M", help="length (20)")
    parser.add_argument("--every", type=count, default=1000, metavar="N", help="look at memory every N frames (1000)")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=count, metavar="N")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.bench.Bench`; prints memory over the run."""
    clip, portrait = clips_of(options.driver)[0], portraits_of(options.portrait)[0]
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    log = MemoryLog(options.every)
    print(f"{clip.name} for {options.minutes:g} minutes x {portrait.name}", flush=True)
    control()
    statistics = prolonged_run(clip, options.minutes * 60, portrait, settings, log)
    control()
    return _result(log, statistics, {"model": options.model, "size": options.size})


def prolonged_run(clip: Path, seconds: float, picture: Path, settings: ReenactSettings, log: MemoryLog) -> Statistics:
    """Render laps of `clip` to H.264, telling of memory as `log` notes it; nothing that is written is kept."""

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
        rows.append(Row("memory held", "MB", tuple(log.megabytes), "neither", condition, each="look"))
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
