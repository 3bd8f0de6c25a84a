"""`mien bench long`: whether a driver of many minutes runs in constant memory, from decode to a written file."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mien import api
from mien.config import ReenactSettings
from mien.stats import Statistics
from mien_bench.material import clips_of, portraits_of
from mien_bench.memory import MemoryLog, resident, slope
from mien_bench.prolonged import prolong
from mien_bench.report import write_values

WARM_UP: Final = 0.2
"""Share of the run in which buffers may still grow."""
MOST: Final = 1.0
"""Megabytes that 1000 frames may add afterwards."""


def main(arguments: list[str]) -> int:
    """Print memory over the run and its slope; 1 if `--gate` and it grows."""
    options = _parser().parse_args(arguments)
    clip, portrait = clips_of(options.driver)[0], portraits_of(options.portrait)[0]
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    log = MemoryLog(options.every)
    print(f"{clip.name} for {options.minutes:g} minutes x {portrait.name}", flush=True)
    statistics = run(clip, options.minutes * 60, portrait, settings, log)
    growth = slope(log.frames, log.megabytes, WARM_UP)
    said = "too short to tell" if growth is None else f"{growth:+.3f} MB per 1000 frames"
    print(f"{statistics.frames_out} frames at {statistics.fps:.1f} fps; after {WARM_UP:.0%} of the run: {said}")
    if options.json is not None:
        write_values(options.json, _values(log, growth, statistics))
    return int(options.gate and growth is not None and growth > MOST)


def run(clip: Path, seconds: float, picture: Path, settings: ReenactSettings, log: MemoryLog) -> Statistics:
    """Render laps of `clip` to H.264, telling of memory as `log` notes it; nothing that is written is kept."""

    def watch(so_far: Statistics) -> None:
        if log():
            print(f"{so_far.frames_out:>8} frames {resident():8.1f} MB {so_far.fps:6.1f} fps", flush=True)

    with TemporaryDirectory(prefix="mien-bench-") as folder:
        driver = Path(folder) / "driver.mp4"
        prolong(clip, seconds, driver)
        return api.render_file([picture], driver, Path(folder) / "output.mp4", settings, progress=watch)


def _values(log: MemoryLog, growth: float | None, statistics: Statistics) -> dict[str, Any]:
    return {
        "frames": log.frames,
        "megabytes": log.megabytes,
        "megabytes_per_1000_frames": growth,
        "statistics": statistics.as_json(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mien bench long", description="Measure memory over a long driver.")
    parser.add_argument("--driver", nargs=1, type=Path, metavar="CLIP", help="played again and again; default: sample")
    parser.add_argument("--portrait", nargs=1, type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="M", help="length (20)")
    parser.add_argument("--every", type=int, default=1000, metavar="N", help="look at memory every N frames (1000)")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if memory grows")
    return parser
