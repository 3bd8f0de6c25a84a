"""The harness itself: what measuring costs, and whether it finds planted delays and losses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np

from mien.emit.strip import carry
from mien_bench.control import Control
from mien_bench.latency.local_paths import offline
from mien_bench.latency.path_run import PathRun, PathSetup
from mien_bench.latency.sources import BLOCK, Pixels, delay_of
from mien_bench.latency.timecode import Code, draw, read
from mien_bench.results import Check, Fact, Result, Row

CALLS: Final = 50
ROUNDS: Final = 5
DELAYS: Final = (0.0, 0.05, 0.2)
"""Seconds."""
FRAMES: Final = 500
"""Frames that are evaluated for each delay."""
SETTLING: Final = 25
"""Frames at the beginning of each block that are not judged: what was held longer is still on its way."""
WITHIN: Final = 3.0
"""Milliseconds by which a planted difference may be missed."""
LOSING: Final = 100
OF: Final = 3000
"""Every so many-th frame is lost, of so many."""
_WARM_UP: Final = 1
"""Rounds of all delays that are not judged."""
PathFunction = Callable[[PathSetup], PathRun]


def harness_cost(captured: Pixels, size: int, now: Callable[[], float] = time.perf_counter) -> list[Row]:
    """Rows for a driver's picture, and an emitted one of `size` squared: each with the copy that it is done on."""
    emitted = np.zeros((size, size, 3), np.uint8)
    stamped = captured.copy()
    draw(Code.of(1, 1.0), stamped)

    def stamp() -> None:
        draw(Code.of(1, now()), captured.copy())

    def carried() -> None:
        carry(stamped, emitted.copy())

    height, width = captured.shape[:2]
    condition: dict[str, Fact] = {"driver": f"{width}x{height}", "size": size}
    steps: dict[str, Callable[[], object]] = {
        "harness: stamping a frame": stamp,
        "harness: copying the strip": carried,
        "harness: reading a strip": lambda: read(stamped),
    }
    return [Row(name, "ms", _timed(step, now), "neither", condition) for name, step in steps.items()]


def _timed(step: Callable[[], object], now: Callable[[], float]) -> tuple[float, ...]:
    """Milliseconds a call, of each round."""
    step()
    values = []
    for _ in range(ROUNDS):
        begin = now()
        for _ in range(CALLS):
            step()
        values.append((now() - begin) / CALLS * 1e3)
    return tuple(values)


def self_check(paths: dict[str, PathFunction], setup: PathSetup, control: Control) -> Result:
    """Plant, run, and compare with what was planted."""
    rounds = -(-FRAMES // (BLOCK - SETTLING)) + _WARM_UP
    frames = rounds * BLOCK * len(DELAYS)
    rows: list[Row] = []
    checks: list[Check] = []
    for name, run_path in paths.items():
        print(f"delays by {name}, {frames} frames", flush=True)
        control()
        path_run = run_path(replace(setup, delays=DELAYS, frames=frames, sound=False))
        seen, held = medians(path_run)
        checks += delays_found(name, seen, held)
        condition: dict[str, Fact] = {"path": name, **setup.condition()}
        for delay, value in zip(DELAYS, seen, strict=True):
            condition = {**condition, "planted delay ms": delay * 1e3}
            rows.append(Row("glass to glass p50", "ms", (value,), "neither", condition))
    control()
    print(f"losses by offline, {OF} frames", flush=True)
    checks.append(losses_found(offline(replace(setup, losing=LOSING, frames=OF, idle=True, sound=False))))
    control()
    return Result("latency", "whether planted delays and losses are found", tuple(rows), tuple(checks))


def medians(path_run: PathRun) -> tuple[list[float], list[float]]:
    """For each of `DELAYS`, in milliseconds: what was measured, and by how much frames were held in truth."""
    found = path_run.summary(0.0)
    begin = _WARM_UP * BLOCK * len(DELAYS)
    seen: dict[float, list[float]] = {delay: [] for delay in DELAYS}
    held: dict[float, list[float]] = {delay: [] for delay in DELAYS}
    for number, latency in zip(found.numbers, found.latency, strict=True):
        if number >= begin and number % BLOCK >= SETTLING:
            delay = delay_of(number, DELAYS)
            seen[delay].append(latency)
            held[delay].append(path_run.held[number] * 1e3)
    return [_median(values) for values in seen.values()], [_median(values) for values in held.values()]


def delays_found(name: str, seen: Sequence[float], held: Sequence[float]) -> list[Check]:
    """Differences to the first delay. The actual delay is the truth, as a busy machine holds longer."""
    checks = []
    for delay, got, truth in zip(DELAYS[1:], seen[1:], held[1:], strict=True):
        difference, planted = got - seen[0], truth - held[0]
        wanted = f"{planted:.1f} +- {WITHIN:g} ms"
        kept = abs(difference - planted) <= WITHIN
        checks.append(Check(f"{name}: {delay * 1e3:g} ms of delay", wanted, f"{difference:.2f} ms", kept))
    return checks


def losses_found(path_run: PathRun) -> Check:
    """Exactly every `LOSING`-th of `OF` frames."""
    found = path_run.summary(0.0)
    planted = tuple(range(LOSING - 1, OF, LOSING))
    kept = found.dropped == planted and found.unread == found.duplicates == found.reordered == 0
    said = f"{len(found.dropped)} lost, {found.unread} unread, {found.duplicates} twice"
    return Check(f"file: every {LOSING}th of {OF} frames", f"{len(planted)} lost, the right ones", said, kept)


def _median(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")
