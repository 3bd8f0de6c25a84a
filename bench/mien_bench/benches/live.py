"""`mien bench live`: whether a live run meets its targets on this machine."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import samples
from mien.commands.options import count, positive
from mien.config import ReenactSettings
from mien.machine import outputs
from mien_bench.charts import cdf, timeline
from mien_bench.control import Control
from mien_bench.latency.sources import Pixels, pictures_of
from mien_bench.live.disturbed import BEGUN, loaded, recovery, stopped
from mien_bench.live.rtmp_path import through
from mien_bench.live.runs import LATENCY, Growth, LiveRun, TrialResult, empty, real, starts
from mien_bench.live.sessions import sessions, swaps
from mien_bench.results import Band, Chart, Check, Fact, Result, Row

TRIALS: Final = {
    "run": "the whole path of a frame without codecs",
    "empty": "the pipeline's own time, with stages that do nothing",
    "starts": "many starts and stops",
    "stopped": "a process that is stopped for 3 s",
    "loaded": "a busy process on every processor for 10 s",
    "swaps": "another portrait every few seconds",
}
LONG: Final = {
    "sessions": "many starts and stops of whole sessions",
    "long": "the whole path of a frame without codecs, for long",
    "path": "a session with sound and codecs through RTMP to a listener of FFmpeg's, for long",
}
"""Trials that run only with `--full` or when named."""
P50, P95, FULL, DROPPED = 35.0, 60.0, 0.95, 0.02
"""Targets of a run on an idle machine: milliseconds, and fractions of the frames."""
OVERHEAD, BACK = 0.5, 1.0
"""Targets: milliseconds a frame of the pipeline itself, and seconds to recover after a stop."""
GROWTH: Final = 1.2
"""How much slower the last quarter of a run may be than the first."""
PARTS: Final = 10
"""Of a run, each a value of its rows."""
_SETTLED: Final = 1.0
"""Seconds at the beginning that are left out."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--seconds", type=positive, default=20.0, metavar="S", help="of the runs (20)")
    parser.add_argument("--minutes", type=positive, default=10.0, metavar="M", help="of the long ones (10)")
    parser.add_argument("--full", action="store_true", help="also the long ones: about 35 minutes in all")
    parser.add_argument("--only", action="append", choices=TRIALS | LONG, help="leave out the others; repeatable")
    parser.add_argument("--portrait", type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument("--starts", type=count, default=200, metavar="N", help="starts and stops (200)")
    parser.add_argument("--course", type=Path, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; without codecs."""
    pictures = pictures_of(options.driver or samples.driver())
    found: list[TrialResult] = []
    known = TRIALS | LONG
    for name in options.only or (known if options.full else TRIALS):
        print(f"{name}: {known[name]}", flush=True)
        control()
        found.append(_TRIED[name](options, pictures))
    control()
    return Result(
        bench="live",
        about="a live run of all rooms without codecs, and the same disturbed",
        rows=tuple(row for one in found for row in one.rows),
        checks=tuple(check for one in found for check in one.checks),
        charts=tuple(chart for one in found for chart in one.charts),
        notes=("a camera of pictures that are there already; but for path, there is no encoding either",),
    )


def checks_of_run(course: LiveRun, words: str) -> list[Check]:
    """The targets of an undisturbed run."""
    end = course.at[-1] if course.at else 0.0
    p50, p95 = _percentiles(course.between(_SETTLED, np.inf))
    frames, live = course.statistics["frames"], course.statistics["live"]
    missed = live.get("missed", 0)
    lost = (frames["dropped"] + missed) / max(frames["in"] + missed, 1)
    best = "warp" if words == "warp" else "full"
    quarter = (end - _SETTLED) / 4
    first, last = (np.median(course.between(b, b + quarter)) for b in (_SETTLED, end - quarter))
    grown = float(last / first) if quarter > 0 else 1.0
    fraction = live["levels"].get(best, 0.0)
    return [
        Check("capture to emit, p50", f"<= {P50:g} ms", f"{p50:.1f} ms", p50 <= P50),
        Check("capture to emit, p95", f"<= {P95:g} ms", f"{p95:.1f} ms", p95 <= P95),
        Check(f"at level {best}", f">= {FULL:.0%}", f"{fraction:.1%}", fraction >= FULL),
        Check("dropped", f"<= {DROPPED:.0%}", f"{lost:.2%}", lost <= DROPPED),
        Check("last quarter / first", f"<= {GROWTH:g}", f"{grown:.2f}", grown <= GROWTH),
    ]


def _run(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    return _undisturbed(options, pictures, "run", options.seconds)


def _long(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    found = _undisturbed(options, pictures, "long", options.minutes * 60)
    named = [Check(f"long: {check.name}", check.wanted, check.got, check.kept) for check in found.checks]
    return TrialResult(named, found.rows, found.charts)


def _undisturbed(options: argparse.Namespace, pictures: list[Pixels], trial: str, seconds: float) -> TrialResult:
    print(BEGUN, flush=True)
    course, words = real(_portrait(options), pictures, _settings(options), seconds)
    print(f"  {words}; {_stage_line(course)}", flush=True)
    if options.course is not None:
        outputs.write(options.course, json.dumps(course.as_json()).encode())
    return TrialResult(checks_of_run(course, words), _rows(trial, course), _charts(f"A live run: {trial}", course))


def _empty(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    course = empty(pictures, options.seconds)
    p50, p95 = _percentiles(course.between(_SETTLED, np.inf))
    cpu = course.cpu / max(len(course.at), 1) * 1e3
    checks = [
        Check("the pipeline's own, p50", f"<= {OVERHEAD:g} ms", f"{p50:.3f} ms (p95 {p95:.3f})", p50 <= OVERHEAD),
        Check("the pipeline's own processor time", f"<= {OVERHEAD:g} ms a frame", f"{cpu:.3f} ms", cpu <= OVERHEAD),
    ]
    return TrialResult(checks, _rows("empty", course))


def _starts(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    return _grown(starts(pictures, options.starts), "starts", 4.0)


def _sessions(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    return _grown(sessions(_portrait(options), pictures, _settings(options), options.starts), "whole sessions", 40.0)


def _grown(growth: Growth, what: str, most: float) -> TrialResult:
    flat = growth.threads == 0 and not growth.descriptors
    words = f"{growth.threads:+d}, {growth.descriptors or 0:+d}"
    after = f"after {growth.starts} {what}"
    checks = [
        Check(f"threads and descriptors {after}", "flat", words, flat),
        Check(f"memory {after}", f"< {most:g} MB", f"{growth.megabytes:+.2f} MB", growth.megabytes < most),
    ]
    return TrialResult(checks, [Row("memory", "MB", (growth.megabytes,), "lower", {"trial": what})])


def _swaps(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    portraits = [_portrait(options), *list(samples.portraits().values())[1:]]
    return swaps(portraits, pictures, _settings(options), options.seconds)


def _path(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    return through(_portrait(options), pictures, _settings(options), options.minutes * 60)


def _portrait(options: argparse.Namespace) -> Path:
    return options.portrait or next(iter(samples.portraits().values()))


def _settings(options: argparse.Namespace) -> ReenactSettings:
    return ReenactSettings(
        model=options.model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )


def _stopped(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    course, went_on = stopped(_passed_on(options))
    back = recovery(course, went_on, LATENCY)
    checks = [Check("in time again after a stop", f"within {BACK:g} s", f"{back:.2f} s", back <= BACK)]
    row = Row("recovery after the process was stopped", "s", (back,), "lower", {"trial": "stopped"})
    bands = (Band("went on", went_on, went_on + back),)
    return TrialResult(checks, [row], _charts("A process that is stopped for 3 s", course, bands))


def _loaded(options: argparse.Namespace, pictures: list[Pixels]) -> TrialResult:
    course, (begin, end) = loaded(_passed_on(options))
    p50, p95 = _percentiles(course.between(begin + 2.0, end))
    levels = [level for at, level in zip(course.at, course.level, strict=True) if begin + 2.0 <= at < end]
    seen = ", ".join(f"{name} {levels.count(name) / max(len(levels), 1):.0%}" for name in dict.fromkeys(levels))
    words = f"{p95:.0f} ms (p50 {p50:.0f}; {seen})"
    checks = [Check("under load, p95", f"<= {LATENCY * 1e3:g} ms", words, p95 <= LATENCY * 1e3)]
    bands = (Band("load", begin, end),)
    return TrialResult(checks, _rows("loaded", course), _charts("A busy process on every processor", course, bands))


_TRIED: Final = {
    "run": _run,
    "empty": _empty,
    "starts": _starts,
    "stopped": _stopped,
    "loaded": _loaded,
    "swaps": _swaps,
    "sessions": _sessions,
    "long": _long,
    "path": _path,
}


def _rows(trial: str, course: LiveRun) -> list[Row]:
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
        Row(
            f"capture to emit, p{rank}",
            "ms",
            values,
            "lower",
            condition,
            each="tenth",
            headline=f"live, capture to emit, p{rank}" if trial == "run" and rank < 99 else "",
        )
        for rank, values in found.items()
    ]


def _charts(title: str, course: LiveRun, bands: tuple[Band, ...] = ()) -> list[Chart]:
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


def _stage_line(course: LiveRun) -> str:
    return ", ".join(f"{name} {found['p50_ms']:.1f}" for name, found in course.statistics["stages"].items())


def _passed_on(options: argparse.Namespace) -> list[str]:
    given = {"model": options.model, "backend": options.backend, "size": options.size, "threads": options.threads}
    given |= {"portrait": options.portrait, "driver": options.driver}
    return [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
