"""Ramps as rows, checks and charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from mien_bench import charts
from mien_bench.latency.path_results import READ
from mien_bench.latency.trace import TraceSummary
from mien_bench.load.ramp import Ramp, RampPlan, recovery, summaries_in
from mien_bench.results import Chart, Check, Fact, Row

BACK: Final = 5.0
"""Seconds in which pictures must be in time again after an overload."""
Points = list[tuple[float, float]]


def _seen(ramp: Ramp, place: int) -> list[TraceSummary]:
    """What the peers of a step saw in it."""
    step = ramp.steps[place]
    return summaries_in(step, [report.observed for report in ramp.reports[: step.sessions]])


def sustained(ramp: Ramp, target: float) -> int:
    """The most sessions up to which 95 of 100 pictures of all peers came within `target` milliseconds."""
    kept = 0
    for place, step in enumerate(ramp.steps):
        if _p95(_seen(ramp, place)) > target:
            break
        kept = step.sessions
    return kept


def _p95(found: Sequence[TraceSummary]) -> float:
    latency = [value for one in found for value in one.latency]
    return float(np.percentile(latency, 95)) if latency else float("inf")


def rows_of(ramps: Sequence[Ramp], plan: RampPlan, condition: Mapping[str, Fact]) -> Iterator[Row]:
    """How many sessions were in time, and what each number of them cost."""
    kept = tuple(float(sustained(ramp, plan.target)) for ramp in ramps)
    yield Row(f"sessions with p95 <= {plan.target:g} ms", "", kept, "higher", condition)
    yield Row("sessions refused", "", tuple(float(ramp.refused) for ramp in ramps), "neither", condition)
    backs = [_back(ramp, plan) for ramp in ramps if ramp.eased_at is not None]
    finite = tuple(back for back in backs if np.isfinite(back))
    if finite:
        yield Row("recovery", "s", finite, "lower", condition, note="after sessions beyond the limit were ended")
    for place in range(min(len(ramp.steps) for ramp in ramps)):
        yield from _of_step(ramps, place, {**condition, "sessions": ramps[0].steps[place].sessions})
    lasted = [
        (report.cpu, report.observed.at[-1] - report.observed.at[0])
        for ramp in ramps
        for report in ramp.reports
        if report.observed.at
    ]
    if lasted:
        shares = tuple(cpu / max(seconds, 1e-3) for cpu, seconds in lasted)
        yield Row("harness: CPU cores per peer", "", shares, "neither", condition, each="peer")


def _of_step(ramps: Sequence[Ramp], place: int, condition: Mapping[str, Fact]) -> Iterator[Row]:
    steps, seen = [ramp.steps[place] for ramp in ramps], [_seen(ramp, place) for ramp in ramps]
    count = steps[0].sessions
    shown = [found for found in seen if any(one.latency for one in found)]
    for rank in (50.0, 95.0, 99.0) if shown else ():
        values = tuple(float(np.percentile([v for one in found for v in one.latency], rank)) for found in shown)
        yield Row(f"glass to glass p{rank:g}", "ms", values, "lower", condition)
    dropped = tuple(_dropped(found) for found in seen)
    yield Row("dropped frames", "%", dropped, "lower", condition)
    yield Row("CPU cores per session", "", tuple(step.processors / count for step in steps), "lower", condition)
    yield Row("server memory", "MB", tuple(step.megabytes for step in steps), "lower", condition)
    yield Row("server threads", "", tuple(float(step.threads) for step in steps), "neither", condition)
    levels = [level for step in steps for level in step.levels]
    note = ", ".join(f"{levels.count(name)} {name}" for name in dict.fromkeys(levels))
    best = tuple(float(np.mean([level == "full" for level in step.levels])) * 100 for step in steps)
    yield Row("sessions at level full", "%", best, "higher", condition, note=note)


def varied_rows(
    by_portrait: Mapping[str, Sequence[Ramp]], by_driver: Mapping[str, Sequence[Ramp]], condition: Mapping[str, Fact]
) -> Iterator[Row]:
    """What one session costs with other portraits and drivers."""
    for what, found in (("size", by_portrait), ("driver", by_driver)):
        for size, ramps in found.items():
            about = {**condition, what: int(size) if what == "size" else size, "growth by": what}
            processors = tuple(ramp.steps[0].processors for ramp in ramps)
            yield Row("CPU cores of one session", "", processors, "lower", about)
            yield Row("glass to glass p95", "ms", tuple(_p95(_seen(ramp, 0)) for ramp in ramps), "lower", about)


def growth(
    ramps: Sequence[Ramp], by_portrait: Mapping[str, Sequence[Ramp]], by_driver: Mapping[str, Sequence[Ramp]]
) -> tuple[list[Chart], list[str]]:
    """How cost grows with sessions, and with pixels; charts with a line through each, and the line in words."""
    steps = [step for ramp in ramps for step in ramp.steps]
    kinds: list[tuple[str, str, str, Points]] = [
        ("Processors over sessions", "sessions", "processors", [(step.sessions, step.processors) for step in steps]),
        ("Memory over sessions", "sessions", "memory (MB)", [(step.sessions, step.megabytes) for step in steps]),
        ("Latency over sessions", "sessions", "p95 (ms)", [(step.sessions, step.p95) for step in steps]),
        (
            "Processors over the portrait's size",
            "megapixels",
            "processors",
            _points(by_portrait, lambda n: int(n) ** 2),
        ),
        ("Processors over the driver's size", "megapixels", "processors", _points(by_driver, _pixels)),
    ]
    drawn, said = [], []
    for title, x, y, points in kinds:
        seen: dict[float, list[float]] = {}
        for place, value in points:
            if np.isfinite(value):
                seen.setdefault(float(place), []).append(value)
        if len(seen) > 1:
            chart = charts.cost(title, x, y, seen)
            drawn.append(chart)
            places = sorted(seen)
            factors = np.polyfit(places, [float(np.median(seen[place])) for place in places], 1)
            said.append(f"{title.lower()}: {charts.polynomial(factors)} ({y} by {x})")
    return drawn, said


def _points(found: Mapping[str, Sequence[Ramp]], pixels: Callable[[str], int]) -> Points:
    return [(pixels(size) / 1e6, ramp.steps[0].processors) for size, ramps in found.items() for ramp in ramps]


def _pixels(size: str) -> int:
    width, _, height = size.partition("x")
    return int(width) * int(height)


def _dropped(found: Sequence[TraceSummary]) -> float:
    lost, seen = sum(len(one.dropped) for one in found), sum(len(one.latency) for one in found)
    return 100 * lost / max(lost + seen, 1)


def _back(ramp: Ramp, plan: RampPlan) -> float:
    assert ramp.eased_at is not None
    return recovery([report.observed for report in ramp.reports[: ramp.eased_to]], ramp.eased_at, plan.target)


def checks_of(ramps: Sequence[Ramp], plan: RampPlan) -> Iterator[Check]:
    """Checks that codes were read, one session is sustained, and an overload passes."""
    found = [one for ramp in ramps for place in range(len(ramp.steps)) for one in _seen(ramp, place)]
    pictures, unread = sum(one.pictures for one in found), sum(one.unread for one in found)
    fraction = 1 - unread / pictures if pictures else 0.0
    yield Check("load: time codes decoded", f">= {READ:.1%}", f"{fraction:.2%} of {pictures}", fraction >= READ)
    least = min(sustained(ramp, plan.target) for ramp in ramps)
    yield Check(f"load: sessions with p95 <= {plan.target:g} ms", ">= 1", str(least), least >= 1)
    for ramp in ramps:
        if ramp.eased_at is not None:
            back = _back(ramp, plan)
            yield Check("load: in time again after the overload", f"<= {BACK:g} s", f"{back:.1f} s", back <= BACK)
