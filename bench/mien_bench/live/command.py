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
from mien_bench.live.camera import Pixels, pictures_of
from mien_bench.live.course import LATENCY, Course
from mien_bench.live.disturbed import BEGUN, loaded, recovery, stopped
from mien_bench.live.trials import empty, real, starts
from mien_bench.report import write_values

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
_SETTLED: Final = 1.0
"""Seconds at the beginning that are left out."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise."""

    name: str
    got: str
    kept: bool


def main(arguments: list[str]) -> int:
    """Print a line for each promise; 1 if `--gate` and one is broken."""
    options = _parser().parse_args(arguments)
    checks: list[Check] = []
    values: dict[str, Any] = {}
    pictures = pictures_of(options.driver or samples.driver())
    for name in options.only or TRIALS:
        print(f"{name}: {TRIALS[name]}", flush=True)
        found, values[name] = _TRIED[name](options, pictures)
        for check in found:
            print(f"  {'ok  ' if check.kept else 'FAIL'}  {check.name:<34}{check.got}", flush=True)
        checks += found
    if options.json is not None:
        write_values(options.json, values)
    return int(options.gate and not all(check.kept for check in checks))


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
        Check(f"capture to emit, p50 <= {P50:g} ms", f"{p50:.1f} ms", p50 <= P50),
        Check(f"capture to emit, p95 <= {P95:g} ms", f"{p95:.1f} ms", p95 <= P95),
        Check(f"at level {best} >= {FULL:.0%}", f"{share:.1%}", share >= FULL),
        Check(f"dropped <= {DROPPED:.0%}", f"{lost:.2%}", lost <= DROPPED),
        Check(f"last quarter / first <= {GROWTH:g}", f"{grown:.2f}", grown <= GROWTH),
    ]


def _run(options: argparse.Namespace, pictures: list[Pixels]) -> tuple[list[Check], Any]:
    settings = ReenactSettings(
        model=options.model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )
    portrait = options.portrait or next(iter(samples.portraits().values()))
    print(BEGUN, flush=True)
    course, words = real(portrait, pictures, settings, options.seconds)
    print(f"  {words}; {_stage_line(course)}")
    if options.course is not None:
        options.course.write_text(json.dumps(course.as_json()))
    return checks_of_run(course, words), {"model": words, **course.as_json()}


def _empty(options: argparse.Namespace, pictures: list[Pixels]) -> tuple[list[Check], Any]:
    course = empty(pictures, options.seconds)
    p50, p95 = _percentiles(course.between(_SETTLED, np.inf))
    cpu = course.cpu / max(len(course.at), 1) * 1e3
    return [
        Check(f"capture to emit, p50 <= {OVERHEAD:g} ms", f"{p50:.3f} ms (p95 {p95:.3f})", p50 <= OVERHEAD),
        Check(f"processor time <= {OVERHEAD:g} ms a frame", f"{cpu:.3f} ms", cpu <= OVERHEAD),
    ], course.as_json()


def _starts(options: argparse.Namespace, pictures: list[Pixels]) -> tuple[list[Check], Any]:
    growth = starts(pictures, options.starts)
    flat = growth.threads == 0 and not growth.descriptors
    return [
        Check("threads and descriptors flat", f"{growth.threads:+d}, {growth.descriptors or 0:+d}", flat),
        Check("memory grows by < 4 MB", f"{growth.megabytes:+.2f} MB", growth.megabytes < 4),
    ], growth.as_json()


def _stopped(options: argparse.Namespace, pictures: list[Pixels]) -> tuple[list[Check], Any]:
    course, went_on = stopped(_passed_on(options))
    back = recovery(course, went_on, LATENCY)
    return [Check(f"in time again within {BACK:g} s", f"{back:.2f} s", back <= BACK)], course.as_json()


def _loaded(options: argparse.Namespace, pictures: list[Pixels]) -> tuple[list[Check], Any]:
    course, (begin, end) = loaded(_passed_on(options))
    during = course.between(begin + 2.0, end)
    p50, p95 = _percentiles(during)
    levels = [level for at, level in zip(course.at, course.level, strict=True) if begin + 2.0 <= at < end]
    seen = ", ".join(f"{name} {levels.count(name) / max(len(levels), 1):.0%}" for name in dict.fromkeys(levels))
    text = f"{p95:.0f} ms (p50 {p50:.0f}; {seen})"
    return [Check(f"under load, p95 <= {LATENCY * 1e3:g} ms", text, p95 <= LATENCY * 1e3)], course.as_json()


_TRIED: Final = {"run": _run, "empty": _empty, "starts": _starts, "stopped": _stopped, "loaded": _loaded}


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mien bench live", description="Measure a live run, without codecs.")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of the runs (20)")
    parser.add_argument("--only", action="append", choices=TRIALS, help="leave out the others; repeatable")
    parser.add_argument("--portrait", type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--starts", type=int, default=200, metavar="N", help="starts and stops (200)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    parser.add_argument("--course", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a promise is broken")
    return parser
