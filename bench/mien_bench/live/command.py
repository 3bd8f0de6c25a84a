"""The command: which trials, for how long, and what is told of them."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import samples
from mien.config import ReenactSettings
from mien_bench.charts import cdf, timeline
from mien_bench.control import Control
from mien_bench.live.camera import Pixels, pictures_of
from mien_bench.live.course import LATENCY, Course
from mien_bench.live.disturbed import BEGUN, loaded, recovery, stopped
from mien_bench.live.trials import empty, real, starts
from mien_bench.results import Band, Chart, Check, Fact, Result, Row

TRIALS: Final = {
    "run": "the whole way of a frame without codecs",
    "empty": "the pipeline's own time, with stages that do nothing",
    "starts": "200 starts and stops",
    "stopped": "a process that is stopped for 3 s",
    "loaded": "a busy process on every processor for 10 s",
}
P50, P95, FULL, DROPPED = 35.0, 60.0, 0.95, 0.02
"""Milliseconds, and shares of frames, that are promised of a run with nothing else running."""
OVERHEAD, BACK = 0.5, 1.0
"""Milliseconds a frame, and seconds, that are promised of the pipeline and after a stop."""
GROWTH: Final = 1.2
"""How much slower the last quarter of a run may be than the first."""
PARTS: Final = 10
"""Of a run, each a value of its rows."""
_SETTLED: Final = 1.0
"""Seconds at the beginning that are left out."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.bench.Bench`."""
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of the runs (20)")
    parser.add_argument("--only", action="append", choices=TRIALS, help="leave out the others; repeatable")
    parser.add_argument("--portrait", type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--starts", type=int, default=200, metavar="N", help="starts and stops (200)")
    parser.add_argument("--course", type=Path, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.bench.Bench`; without codecs."""
    pictures = pictures_of(options.driver or samples.driver())
    found: list[Found] = []
    for name in options.only or TRIALS:
        print(f"{name}: {TRIALS[name]}", flush=True)
        control()
        found.append(_TRIED[name](options, pictures))
    control()
    return Result(
        bench="live",
        about="a live run of all rooms without codecs, and the same disturbed",
        rows=tuple(row for one in found for row in one.rows),
        checks=tuple(check for one in found for check in one.checks),
        charts=tuple(chart for one in found for chart in one.charts),
        notes=("a camera of pictures that are there already: neither capture nor encode is in these figures",),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What one trial showed."""

    checks: list[Check]
    rows: list[Row]
    charts: list[Chart]


def checks_of_run(course: Course, words: str) -> list[Check]:
    """What is promised of an undisturbed run."""
    end = course.at[-1] if course.at else 0.0
    p50, p95 = _percentiles(course.between(_SETTLED, np.inf))
    frames, live = course.statistics["frames"], course.statistics["live"]
    lost, best = frames["dropped"] / max(frames["in"], 1), "warp" if words == "warp" else "full"
    quarter = (end - _SETTLED) / 4
    first, last = (np.median(course.between(b, b + quarter)) for b in (_SETTLED, end - quarter))
    grown = float(last / first) if quarter > 0 else 1.0
    share = live["levels"].get(best, 0.0)
    return [
        Check("capture to emit, p50", f"<= {P50:g} ms", f"{p50:.1f} ms", p50 <= P50),
        Check("capture to emit, p95", f"<= {P95:g} ms", f"{p95:.1f} ms", p95 <= P95),
        Check(f"at level {best}", f">= {FULL:.0%}", f"{share:.1%}", share >= FULL),
        Check("dropped", f"<= {DROPPED:.0%}", f"{lost:.2%}", lost <= DROPPED),
        Check("last quarter / first", f"<= {GROWTH:g}", f"{grown:.2f}", grown <= GROWTH),
    ]


def _run(options: argparse.Namespace, pictures: list[Pixels]) -> Found:
    settings = ReenactSettings(
        model=options.model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )
    portrait = options.portrait or next(iter(samples.portraits().values()))
    print(BEGUN, flush=True)
    course, words = real(portrait, pictures, settings, options.seconds)
    print(f"  {words}; {_stage_line(course)}", flush=True)
    if options.course is not None:
        options.course.write_text(json.dumps(course.as_json()))
    return Found(checks_of_run(course, words), _rows("run", course), _charts("A live run", course))


def _empty(options: argparse.Namespace, pictures: list[Pixels]) -> Found:
    course = empty(pictures, options.seconds)
    p50, p95 = _percentiles(course.between(_SETTLED, np.inf))
    cpu = course.cpu / max(len(course.at), 1) * 1e3
    checks = [
        Check("the pipeline's own, p50", f"<= {OVERHEAD:g} ms", f"{p50:.3f} ms (p95 {p95:.3f})", p50 <= OVERHEAD),
        Check("the pipeline's own processor time", f"<= {OVERHEAD:g} ms a frame", f"{cpu:.3f} ms", cpu <= OVERHEAD),
    ]
    return Found(checks, _rows("empty", course), [])


def _starts(options: argparse.Namespace, pictures: list[Pixels]) -> Found:
    growth = starts(pictures, options.starts)
    flat = growth.threads == 0 and not growth.descriptors
    words = f"{growth.threads:+d}, {growth.descriptors or 0:+d}"
    checks = [
        Check(f"threads and descriptors after {growth.starts} starts", "flat", words, flat),
        Check(f"memory after {growth.starts} starts", "< 4 MB", f"{growth.megabytes:+.2f} MB", growth.megabytes < 4),
    ]
    return Found(checks, [], [])


def _stopped(options: argparse.Namespace, pictures: list[Pixels]) -> Found:
    course, went_on = stopped(_passed_on(options))
    back = recovery(course, went_on, LATENCY)
    checks = [Check("in time again after a stop", f"within {BACK:g} s", f"{back:.2f} s", back <= BACK)]
    row = Row("in time again after a stop of the process", "s", (back,), "lower", {"trial": "stopped"})
    bands = (Band("went on", went_on, went_on + back),)
    return Found(checks, [row], _charts("A process that is stopped for 3 s", course, bands))


def _loaded(options: argparse.Namespace, pictures: list[Pixels]) -> Found:
    course, (begin, end) = loaded(_passed_on(options))
    p50, p95 = _percentiles(course.between(begin + 2.0, end))
    levels = [level for at, level in zip(course.at, course.level, strict=True) if begin + 2.0 <= at < end]
    seen = ", ".join(f"{name} {levels.count(name) / max(len(levels), 1):.0%}" for name in dict.fromkeys(levels))
    words = f"{p95:.0f} ms (p50 {p50:.0f}; {seen})"
    checks = [Check("under load, p95", f"<= {LATENCY * 1e3:g} ms", words, p95 <= LATENCY * 1e3)]
    bands = (Band("load", begin, end),)
    return Found(checks, _rows("loaded", course), _charts("A busy process on every processor", course, bands))


_TRIED: Final = {"run": _run, "empty": _empty, "starts": _starts, "stopped": _stopped, "loaded": _loaded}


def _rows(trial: str, course: Course) -> list[Row]:
    """Latency in tenths of a run, each a repetition of the same."""
    end = course.at[-1] if course.at else 0.0
    tenth = (end - _SETTLED) / PARTS
    parts = [course.between(_SETTLED + i * tenth, _SETTLED + (i + 1) * tenth) * 1e3 for i in range(PARTS)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return []
    found = {rank: tuple(float(np.percentile(part, rank)) for part in parts) for rank in (50, 95, 99)}
    condition: dict[str, Fact] = {"trial": trial, "codecs": False}
    return [
        Row(f"capture to emit, p{rank}", "ms", values, "lower", condition, each="tenth")
        for rank, values in found.items()
    ]


def _charts(title: str, course: Course, bands: tuple[Band, ...] = ()) -> list[Chart]:
    latency = [value * 1e3 for value in course.latency]
    return [
        timeline(title, course.at, latency, course.level, bands=bands, limit=LATENCY * 1e3),
        cdf(f"{title}: how latencies are distributed", {"capture to emit": latency}, limit=LATENCY * 1e3),
    ]


def _percentiles(latency: Any) -> tuple[float, float]:
    """p50 and p95 in milliseconds; infinite where nothing came."""
    if not len(latency):
        return float("inf"), float("inf")
    return float(np.percentile(latency, 50) * 1e3), float(np.percentile(latency, 95) * 1e3)


def _stage_line(course: Course) -> str:
    return ", ".join(f"{name} {found['p50_ms']:.1f}" for name, found in course.statistics["stages"].items())


def _passed_on(options: argparse.Namespace) -> list[str]:
    given = {"model": options.model, "backend": options.backend, "size": options.size, "threads": options.threads}
    given |= {"portrait": options.portrait, "driver": options.driver}
    return [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
