"""What measuring itself costs: stamping, carrying the strip over, reading it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from mien.emit.strip import carry
from mien_bench.latency.timecode import Code, draw, read
from mien_bench.live.camera import Pixels
from mien_bench.results import Fact, Row

CALLS: Final = 50
ROUNDS: Final = 5


def own_cost(captured: Pixels, size: int, now: Callable[[], float] = time.perf_counter) -> list[Row]:
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
        "harness: carrying the strip over": carried,
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
