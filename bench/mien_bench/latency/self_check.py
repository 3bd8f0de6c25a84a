"""Whether the harness finds what is planted: known delays, and frames that are known to be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from mien_bench.control import Control
from mien_bench.latency.faults import BLOCK, delay_of
from mien_bench.latency.passage import Passage
from mien_bench.latency.ways.local import offline
from mien_bench.latency.wish import Wish
from mien_bench.results import Check, Fact, Result, Row

DELAYS: Final = (0.0, 0.05, 0.2)
"""Seconds."""
FRAMES: Final = 500
"""That are judged for each delay."""
SETTLING: Final = 25
"""Frames at the beginning of each block that are not judged: what was held longer is still on its way."""
WITHIN: Final = 3.0
"""Milliseconds by which a planted difference may be missed."""
LOSING: Final = 100
OF: Final = 3000
"""Every so many-th frame is lost, of so many."""
_WARM_UP: Final = 1
"""Rounds of all delays that are not judged."""

Way = Callable[[Wish], Passage]


def self_check(ways: dict[str, Way], wish: Wish, control: Control) -> Result:
    """Plant, run, and compare with what was planted."""
    rounds = -(-FRAMES // (BLOCK - SETTLING)) + _WARM_UP
    frames = rounds * BLOCK * len(DELAYS)
    rows: list[Row] = []
    checks: list[Check] = []
    for name, way in ways.items():
        print(f"delays by {name}, {frames} frames", flush=True)
        control()
        passage = way(replace(wish, delays=DELAYS, frames=frames, sound=False))
        seen, held = medians(passage)
        checks += delays_found(name, seen, held)
        condition: dict[str, Fact] = {"path": name, **wish.condition()}
        for delay, value in zip(DELAYS, seen, strict=True):
            condition = {**condition, "planted delay ms": delay * 1e3}
            rows.append(Row("glass to glass p50", "ms", (value,), "neither", condition))
    control()
    print(f"losses by offline, {OF} frames", flush=True)
    checks.append(losses_found(offline(replace(wish, losing=LOSING, frames=OF, idle=True, sound=False))))
    control()
    return Result("latency", "whether planted delays and losses are found", tuple(rows), tuple(checks))


def medians(passage: Passage) -> tuple[list[float], list[float]]:
    """For each of `DELAYS`, in milliseconds: what was measured, and by how much frames were held in truth."""
    found = passage.found(0.0)
    begin = _WARM_UP * BLOCK * len(DELAYS)
    seen: dict[float, list[float]] = {delay: [] for delay in DELAYS}
    held: dict[float, list[float]] = {delay: [] for delay in DELAYS}
    for number, latency in zip(found.numbers, found.latency, strict=True):
        if number >= begin and number % BLOCK >= SETTLING:
            delay = delay_of(number, DELAYS)
            seen[delay].append(latency)
            held[delay].append(passage.held[number] * 1e3)
    return [_median(values) for values in seen.values()], [_median(values) for values in held.values()]


def delays_found(name: str, seen: Sequence[float], held: Sequence[float]) -> list[Check]:
    """Differences to the first delay. A busy machine holds frames longer than it was told; what it did is the truth."""
    checks = []
    for delay, got, truth in zip(DELAYS[1:], seen[1:], held[1:], strict=True):
        difference, planted = got - seen[0], truth - held[0]
        wanted = f"{planted:.1f} +- {WITHIN:g} ms"
        kept = abs(difference - planted) <= WITHIN
        checks.append(Check(f"{name}: {delay * 1e3:g} ms of delay", wanted, f"{difference:.2f} ms", kept))
    return checks


def losses_found(passage: Passage) -> Check:
    """Exactly every `LOSING`-th of `OF` frames."""
    found = passage.found(0.0)
    planted = tuple(range(LOSING - 1, OF, LOSING))
    kept = found.dropped == planted and found.unread == found.duplicates == found.reordered == 0
    said = f"{len(found.dropped)} lost, {found.unread} unread, {found.duplicates} twice"
    return Check(f"file: every {LOSING}th of {OF} frames", f"{len(planted)} lost, the right ones", said, kept)


def _median(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")
