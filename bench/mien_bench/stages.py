"""`mien bench stages`: how long each stage takes on this machine."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

import mien
from mien import api, doctor, samples
from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.errors import SourceError
from mien.frame import Frame
from mien.stages import open_stages
from mien.stats import Statistics
from mien_bench.reenact import measure


def main(arguments: list[str]) -> int:
    """Measure, print a table, and write it as JSON if asked to."""
    options = _parser().parse_args(arguments)
    portrait = options.portrait or str(next(iter(samples.portraits().values())))
    driver = options.driver or str(samples.driver())
    settings = ReenactSettings(model=options.model, threads=options.threads, size=options.size)
    statistics, about = _run(portrait, driver, settings, options.frames, options.warm_up)
    print(_table(statistics, about))
    if options.json is not None:
        options.json.write_text(json.dumps({"about": about, **statistics.as_json()}, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mien bench stages", description="Time each stage of one frame.")
    parser.add_argument("--portrait", metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", metavar="SOURCE", help="default: the sample driver")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="frames to measure at most (200)")
    parser.add_argument("--warm-up", type=int, default=10, metavar="N", help="frames to leave out before (10)")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    return parser


def _run(
    portrait: str, driver: str, settings: ReenactSettings, count: int, warm_up: int
) -> tuple[Statistics, dict[str, Any]]:
    portraits = api.prepare(portrait, size=settings.size)
    with mien.capture.open(driver) as source, open_stages(portraits, source, settings) as stages:
        frames = list(islice((item for item in source if isinstance(item, Frame)), count + warm_up))
        if len(frames) <= warm_up:
            raise SourceError(f"{driver}: expected more than the {warm_up} frames of warm-up, got {len(frames)}")
        statistics = measure(stages, frames, warm_up, MonotonicClock())
    machine = doctor.examine().machine
    about = {
        "mien": mien.__version__,
        "model": stages.about,
        "processor": machine.processor,
        "cores": machine.cores,
        "threads": settings.threads or machine.cores,
        "portrait": "{} x {}".format(*portraits[0].size),
        "driver": "{} x {}".format(*frames[0].size),
    }
    return statistics, about


def _table(statistics: Statistics, about: dict[str, Any]) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in about.items())
    rows = [f"{'ms':<10}{'p50':>8}{'p95':>8}{'p99':>8}{'mean':>8}{'share':>8}"]
    latencies = statistics.latencies()
    whole = latencies["frame"].mean
    for name, found in latencies.items():
        share = found.mean / whole if whole else 0.0
        rows.append(f"{name:<10}{found.p50:8.2f}{found.p95:8.2f}{found.p99:8.2f}{found.mean:8.2f}{share:8.0%}")
    return "\n".join([facts, f"{statistics.frames_out} frames", *rows])
