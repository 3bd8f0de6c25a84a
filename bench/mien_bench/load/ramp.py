"""One session more, again and again, until the deadline breaks; then one beyond, and back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mien_bench.latency.passage import NotHere
from mien_bench.latency.server import Server
from mien_bench.load.crowd import Crowd, Told
from mien_bench.load.step import Step, watch

BEYOND: Final = 1
"""Sessions that are added though the deadline is broken already."""
BACK: Final = 10.0
"""Seconds in which it is watched whether pictures are in time again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a ramp is climbed."""

    most: int
    """Sessions at which it ends in any case."""
    target: float
    """Milliseconds from glass to glass that 95 of 100 pictures must keep."""
    settle: float
    seconds: float
    """Of each step, that are judged; `settle` before that are not."""


@dataclass(slots=True)
class Ramp:
    """What was seen on the way."""

    steps: list[Step] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    """In the order in which peers came: the first n were there at the step of n sessions."""
    refused: int = 0
    eased_at: float | None = None
    """When sessions were ended, after the deadline had broken."""
    eased_to: int = 0

    def sustained(self, target: float) -> int:
        """The most sessions up to which every step kept the deadline."""
        kept = 0
        for step in self.steps:
            if step.p95 > target:
                break
            kept = step.sessions
        return kept


def climb(server: Server, plan: Plan, options: Sequence[str]) -> Ramp:
    """Ramp up, and ease again.

    Raises:
        NotHere: a server of somebody else's, whose use of the machine is not known.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotHere("load: expected a server of its own to measure, got an address")
    ramp = Ramp()
    with TemporaryDirectory(prefix="mien-bench-") as folder, Crowd(url, Path(folder), options) as crowd:
        broken = 0
        while len(crowd.members) < plan.most and broken <= BEYOND:
            if crowd.join().refused:
                ramp.refused += 1
                break
            time.sleep(plan.settle)
            step = watch(crowd, url, pid, plan.seconds)
            ramp.steps.append(step)
            broken += step.p95 > plan.target
            said = f"p95 about {step.p95:.0f} ms, {step.processors:.2f} processors"
            print(f"  {step.sessions} sessions: {said}", flush=True)
        _ease(crowd, ramp, plan)
        newest_first = list(crowd.left)
        crowd.leave_all()
        ramp.told = [*crowd.left[len(newest_first) :], *reversed(newest_first)]
    return ramp


def _ease(crowd: Crowd, ramp: Ramp, plan: Plan) -> None:
    """End the newest sessions where the deadline broke, until as many are left as were sustained."""
    keep = ramp.sustained(plan.target)
    if keep == 0 or keep >= len(crowd.members):
        return
    ramp.eased_at, ramp.eased_to = time.perf_counter(), keep
    while len(crowd.members) > keep:
        crowd.leave(crowd.members[-1])
    time.sleep(BACK)
