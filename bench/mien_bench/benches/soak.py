"""`mien bench soak`: drift of memory, descriptors and latency over minutes to hours."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from mien import samples
from mien.commands.options import count, positive
from mien.config import ReenactSettings
from mien_bench.control import Control
from mien_bench.latency.path_results import READ
from mien_bench.latency.path_run import NotAvailable
from mien_bench.latency.programs import Server
from mien_bench.latency.trace import evaluate
from mien_bench.latency.webrtc_paths import portrait_id
from mien_bench.load.ramp import within
from mien_bench.load.soak_runs import (
    Drift,
    SoakCourse,
    SoakPlan,
    charts_of,
    checks_of,
    cycle_sessions,
    cycles_text,
    drift,
    endure,
    rows_of,
)
from mien_bench.results import Chart, Check, Fact, Line, Result, Row

GROWN: Final = 16.0
"""Megabytes by which the server may grow in an hour."""
SLOWER: Final = 1.2
"""How much slower the last quarter may be than the first."""
FRAMES: Final = 100_000_000
"""More frames than any peer sends before it is ended."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--minutes", type=positive, default=5.0, metavar="M", help="length (5)")
    parser.add_argument("--every", type=positive, default=5.0, metavar="S", help="look every S seconds (5)")
    parser.add_argument("--sessions", type=count, default=1, metavar="N", help="that stay (1)")
    parser.add_argument("--cycles", type=count, metavar="N", help="instead: N sessions come and go one after another")
    parser.add_argument("--renew", type=positive, metavar="S", help="one more comes and goes every S seconds")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--codec", choices=("H264", "VP8"), default="H264")
    parser.add_argument(
        "--signalling", choices=("session", "whip"), default="session", help="one connection, or WHIP to WHEP"
    )
    parser.add_argument("--portrait", type=Path, metavar="SAMPLE", help="default: the first sample")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=count, metavar="N", help="of each session")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; it ends by itself. Prints a line at every look."""
    if find_spec("aiortc") is None:
        raise NotAvailable("soak: expected aiortc for the peers, got none; pip install 'mien[live]'")
    settings = ReenactSettings(
        model=options.model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )
    if options.cycles is not None:
        return _cycled(options, settings, control)
    plan = SoakPlan(options.minutes * 60, options.every, options.sessions, options.renew)
    room = options.sessions + (options.renew is not None)
    control()
    with Server(settings, sessions=room) as server:
        course = endure(server, plan, _peer(options), lambda line: print(line, flush=True), control)
        about = server.about
    condition: dict[str, Fact] = {"model": options.model, "size": options.size, "sessions": options.sessions}
    condition |= {"signalling": options.signalling, "renewed": options.renew is not None}
    seen = Seen(course, plan.every)
    return Result(
        bench="soak",
        about=f"{options.sessions} sessions for {options.minutes:g} minutes",
        rows=tuple(_rows(seen, condition)),
        checks=tuple(_checks(seen)),
        charts=tuple(_charts(seen)),
        notes=(
            f"server: {about}",
            f"{course.renewals} sessions came and went beside, {course.refused} found no room",
            *_short(seen),
        ),
    )


def _cycled(options: argparse.Namespace, settings: ReenactSettings, control: Control) -> Result:
    control()
    with Server(settings, sessions=1) as server:
        comings = cycle_sessions(server, options.cycles, _peer(options), lambda line: print(line, flush=True), control)
        about = server.about
    condition: dict[str, Fact] = {"model": options.model, "size": options.size, "signalling": options.signalling}
    return Result(
        bench="soak",
        about=f"{options.cycles} sessions that come and go",
        rows=tuple(rows_of(comings, condition)),
        checks=tuple(checks_of(comings)),
        charts=tuple(charts_of(comings)),
        notes=(f"server: {about}", cycles_text(comings)),
    )


def _peer(options: argparse.Namespace) -> list[str]:
    portrait = portrait_id(options.portrait or next(iter(samples.portraits().values())))
    return [
        "--frames",
        str(FRAMES),
        "--codec",
        options.codec,
        "--portrait",
        portrait,
        "--signalling",
        options.signalling,
    ]


class Seen:
    """The course of a soak run as series over time."""

    def __init__(self, course: SoakCourse, every: float) -> None:
        begin = course.at[0] - every
        self.seconds = [at - begin for at in course.at]
        self.megabytes = [use.megabytes for use in course.uses]
        self.descriptors = [float(use.descriptors) for use in course.uses]
        self.threads = [float(use.threads) for use in course.uses]
        observations = [report.observed for report in course.reports]
        windows = [[evaluate(within(observed, at - every, at)) for observed in observations] for at in course.at]
        self.p50 = [_percentile([v for one in found for v in one.latency], 50) for found in windows]
        self.p95 = [_percentile([v for one in found for v in one.latency], 95) for found in windows]
        whole = [evaluate(observed) for observed in observations]
        self.offsets = [offset for found in whole for offset in found.offset]
        self.pictures = sum(found.pictures for found in whole)
        self.unread = sum(found.unread for found in whole)
        self.dropped = sum(len(found.dropped) for found in whole)
        self.longest = [float(np.diff(observed.at).max()) for observed in observations if len(observed.at) > 1]

    def drift(self, values: Sequence[float]) -> Drift | None:
        """Drift of one of the series; None where the run was too short."""
        return drift(self.seconds, values)


def _rows(seen: Seen, condition: Mapping[str, Fact]) -> Iterator[Row]:
    kinds = (
        ("server memory", "MB", seen.megabytes),
        ("server descriptors", "", seen.descriptors),
        ("server threads", "", seen.threads),
        ("glass to glass p50", "ms", seen.p50),
        ("glass to glass p95", "ms", seen.p95),
    )
    for name, unit, values in kinds:
        finite = tuple(value for value in values if np.isfinite(value))
        if finite:
            yield Row(name, unit, finite, "lower" if unit == "ms" else "neither", condition, each="look")
        found = seen.drift(values)
        if found is not None:
            note = "" if found.significant else "less than it scatters"
            yield Row(f"{name}, drift", f"{unit or '1'}/h", (found.an_hour,), "neither", condition, note=note)
    if seen.offsets:
        yield Row("audio lag behind video", "ms", (median(seen.offsets),), "neither", condition)
    yield Row("dropped frames", "%", (100 * seen.dropped / max(seen.pictures + seen.dropped, 1),), "lower", condition)
    if seen.longest:
        yield Row("longest time without a frame", "s", tuple(seen.longest), "lower", condition, each="session")


def _checks(seen: Seen) -> Iterator[Check]:
    fraction = 1 - seen.unread / seen.pictures if seen.pictures else 0.0
    yield Check("soak: time codes decoded", f">= {READ:.1%}", f"{fraction:.2%} of {seen.pictures}", fraction >= READ)
    memory = seen.drift(seen.megabytes)
    if memory is not None:
        kept = memory.an_hour <= GROWN or not memory.significant
        yield Check("soak: memory", f"<= {GROWN:g} MB an hour", f"{memory.an_hour:+.1f} MB", kept)
    for name, values in (("descriptors", seen.descriptors), ("threads", seen.threads)):
        found = seen.drift(values)
        if found is not None:
            more = found.last - found.first
            yield Check(f"soak: {name}, last quarter - first", "<= 0", f"{more:+.0f}", more <= 0)
    latency = seen.drift(seen.p50)
    if latency is not None:
        ratio = latency.last / latency.first
        yield Check("soak: latency, last quarter / first", f"<= {SLOWER:g}", f"{ratio:.2f}", ratio <= SLOWER)


def _charts(seen: Seen) -> Iterator[Chart]:
    seconds = tuple(seen.seconds)
    yield Chart("Memory over a long run", "seconds", "memory (MB)", (Line("server", seconds, tuple(seen.megabytes)),))
    lines = (
        Line("descriptors", seconds, tuple(seen.descriptors), "steps"),
        Line("threads", seconds, tuple(seen.threads), "steps"),
    )
    yield Chart("Descriptors and threads over a long run", "seconds", "count", lines)
    drawn = []
    for name, values in (("p50", seen.p50), ("p95", seen.p95)):
        finite = [(at, value) for at, value in zip(seconds, values, strict=True) if np.isfinite(value)]
        drawn.append(Line(name, tuple(at for at, _ in finite), tuple(value for _, value in finite)))
    yield Chart("Glass to glass over a long run", "seconds", "latency (ms)", tuple(drawn))


def _short(seen: Seen) -> list[str]:
    return (
        [] if seen.drift(seen.megabytes) is not None else ["too short a run for a drift: give it five minutes or more"]
    )


def _percentile(values: Sequence[float], rank: float) -> float:
    return float(np.percentile(values, rank)) if values else float("nan")
