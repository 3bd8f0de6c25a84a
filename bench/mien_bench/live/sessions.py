"""Whole sessions, as `mien live` has them: started and stopped again and again, and portraits swapped meanwhile."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.emit.sink import NullSink
from mien.frame import Frame
from mien.live.session import LiveRequest, LiveSession, open_live
from mien_bench.latency.sources import RATE, Pixels, camera
from mien_bench.live.runs import Growth, TrialResult, held
from mien_bench.results import Check, Row

SETTLED: Final = 20
"""Starts after which nothing may grow any more: allocators and runtimes keep what they had once."""
PICTURES: Final = 3
"""Shown before a session is stopped."""
EVERY: Final = 2.5
"""Seconds from one swap to the next."""
GAP: Final = 3 / float(RATE)
"""Seconds without a picture that count as a stall."""


class _Counting(NullSink):
    """Stops its session after a few pictures."""

    session: LiveSession | None = None

    def write(self, frame: Frame) -> None:
        super().write(frame)
        if self.frames == PICTURES and self.session is not None:
            self.session.stop()


class _Timing(NullSink):
    """Notes when pictures leave."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []
        self._clock = MonotonicClock()

    def write(self, frame: Frame) -> None:
        super().write(frame)
        self.at.append(self._clock.now())


def sessions(portrait: Path, pictures: list[Pixels], settings: ReenactSettings, count: int) -> Growth:
    """Open, run and close so many sessions of all rooms and the model, after `SETTLED` others."""
    for _ in range(SETTLED):
        asyncio.run(_once(portrait, pictures, settings))
    gc.collect()
    before = held()
    for _ in range(count):
        asyncio.run(_once(portrait, pictures, settings))
    gc.collect()
    return Growth.between(count, before, held())


def swaps(portraits: Sequence[Path], pictures: list[Pixels], settings: ReenactSettings, seconds: float) -> TrialResult:
    """Swap portraits every few seconds, and look for a stall."""
    sink = _Timing()
    request = LiveRequest((str(portraits[0]),), camera(pictures, MonotonicClock()), sink, settings)
    swapped, notices = asyncio.run(_swapping(request, portraits, seconds))
    gaps = np.diff(sink.at)
    longest = float(gaps.max()) if len(gaps) else float("inf")
    wanted = int(seconds / EVERY) - 1
    count = f"{swapped} of {wanted}" + (f" ({notices[0]})" if notices else "")
    checks = [
        Check("portraits swapped in", "all that were wanted", count, swapped >= wanted and not notices),
        Check("swaps: longest gap", f"<= {GAP * 1e3:g} ms", f"{longest * 1e3:.0f} ms", longest <= GAP),
    ]
    rows = [Row("longest time without a frame", "ms", (longest * 1e3,), "lower", {"trial": "swaps"})]
    return TrialResult(checks, rows if len(gaps) else [])


async def _once(portrait: Path, pictures: list[Pixels], settings: ReenactSettings) -> None:
    sink = _Counting()
    async with open_live(LiveRequest((str(portrait),), camera(pictures, MonotonicClock()), sink, settings)) as session:
        sink.session = session
        await session.run()
    sink.session = None  # else both are a ring, and stay until Python looks for rings


async def _swapping(request: LiveRequest, portraits: Sequence[Path], seconds: float) -> tuple[int, list[str]]:
    async with open_live(request) as session:
        async with asyncio.TaskGroup() as group:
            swapping = group.create_task(_swap(session, portraits))
            asyncio.get_running_loop().call_later(seconds, session.stop)
            await session.run()
            swapping.cancel()
        live = session.statistics.live
        return live.swaps if live is not None else 0, session.notices()


async def _swap(session: LiveSession, portraits: Sequence[Path]) -> None:
    for portrait in cycle([*portraits[1:], portraits[0]]):
        await asyncio.sleep(EVERY)
        session.swap(str(portrait))
