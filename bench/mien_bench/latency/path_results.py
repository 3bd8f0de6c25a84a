"""Runs over paths as rows, checks and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np

from mien_bench import charts
from mien_bench.latency import impaired_run
from mien_bench.latency.impaired_run import SETTLED
from mien_bench.latency.path_run import PathRun
from mien_bench.latency.trace import TraceSummary
from mien_bench.results import Better, Chart, Check, Fact, Row

READ: Final = 0.995
"""Fraction of the pictures whose code must be readable."""
LEAVE_OUT: Final = 2.0
"""Seconds at the beginning of a live run that are not judged."""
_PERCENTILES: Final = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
_HEADS: Final = {"p50": "glass to glass, p50", "p95": "glass to glass, p95"}


def rows_of(path_runs: Sequence[PathRun], condition: Mapping[str, Fact]) -> list[Row]:
    """What the repetitions of one path gave."""
    found = [path_run.summary(SETTLED if path_run.impairment else LEAVE_OUT) for path_run in path_runs]
    live = [one for one in found if one.latency]
    if not live:
        return []

    def row(name: str, unit: str, values: Sequence[float], better: Better = "lower", note: str = "") -> Row:
        return Row(name, unit, tuple(values), better, dict(condition), note=note)

    rows = [
        replace(row(f"glass to glass {name}", "ms", [f.percentile(rank) for f in live]), headline=_HEADS.get(name, ""))
        for name, rank in _PERCENTILES.items()
    ]
    rows += [
        row("jitter", "ms", [f.jitter for f in live], note="mean change of the latency from frame to frame"),
        row("dropped frames", "%", [_share(len(f.dropped), f) for f in live], note="frames that never arrived"),
        row("duplicate frames", "%", [_share(f.duplicates, f) for f in live], "neither"),
        row("reordered frames", "", [float(f.reordered) for f in live]),
        row("time codes decoded", "%", [100 * f.read_share for f in live], "higher"),
        row("frames evaluated", "", [float(f.pictures) for f in live], "neither"),
    ]
    offsets = [f.offset for f in live if f.offset]
    if offsets:
        rows.append(
            row("audio lag behind video", "ms", [median(one) for one in offsets], "neither", "negative: before")
        )
        rows.append(row("audio lag behind video, spread", "ms", [float(np.ptp(one)) for one in offsets]))
    impairments = [path_run.impairment for path_run in path_runs if path_run.impairment is not None]
    if len(impairments) == len(path_runs):
        rows += impaired_run.rows_of([path_run.observed for path_run in path_runs], impairments, condition, SETTLED)
    return rows


def checks_of(name: str, path_runs: Sequence[PathRun]) -> list[Check]:
    """Checks that frames arrived and their codes were readable."""
    found = [path_run.summary(LEAVE_OUT) for path_run in path_runs]
    network = next((path_run.impairment.network for path_run in path_runs if path_run.impairment is not None), None)
    if network is not None:  # a picture that was damaged on the network may not be readable
        return impaired_run.checks_of(name, rows_of(path_runs, {}), network)
    read = min((f.read_share for f in found), default=0.0)
    seen = sum(len(f.latency) for f in found)
    return [
        Check(
            f"{name}: time codes decoded", f">= {READ:.1%}", f"{read:.2%} of {seen} frames", read >= READ and seen > 0
        ),
        Check(
            f"{name}: reordered frames", "0", str(sum(f.reordered for f in found)), not any(f.reordered for f in found)
        ),
    ]


def charts_of(runs: Mapping[str, Sequence[PathRun]], limit: float | None) -> list[Chart]:
    """How latencies are distributed, by path, and how the last run of each went."""
    found = {name: [path_run.summary(LEAVE_OUT) for path_run in path_runs] for name, path_runs in runs.items()}
    samples = {name: [value for one in several for value in one.latency] for name, several in found.items()}
    drawn = [charts.cdf("Glass to glass", samples, limit=limit)] if any(samples.values()) else []
    for name, several in found.items():
        last = several[-1]
        impairment = runs[name][-1].impairment
        if impairment is not None:
            drawn.append(impaired_run.chart_of(name, runs[name][-1].observed, impairment))
        if last.latency:
            drawn.append(charts.timeline(f"Over time: {name}", last.at, last.latency, drops=_lost(last), limit=limit))
    return drawn


def _share(count: int, found: TraceSummary) -> float:
    return 100 * count / max(len(found.latency) + len(found.dropped), 1)


def _lost(found: TraceSummary) -> list[float]:
    """Approximate times at which frames that were never seen were due."""
    whole = max(len(found.latency) + len(found.dropped) - 1, 1)
    return [found.at[-1] * min(max(number - found.numbers[0], 0) / whole, 1.0) for number in found.dropped]
