"""A ramp of sessions: one more until the deadline breaks, then one beyond, and back; with what the server uses."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mien_bench.latency.path_run import NotAvailable
from mien_bench.latency.programs import Server
from mien_bench.latency.trace import Observed, TraceSummary, evaluate
from mien_bench.load.peer_processes import PeerGroup, PeerReport

_PROC = Path("/proc")
BEYOND: Final = 1
"""Sessions that are added though the deadline is broken already."""
BACK: Final = 10.0
"""Seconds in which it is watched whether pictures are in time again."""


@dataclass(frozen=True, slots=True)
class Usage:
    """At one moment."""

    cpu: float
    """Processor seconds so far."""
    megabytes: float
    """Resident memory (10^6 bytes)."""
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    """Of a process of ours.

    Raises:
        NotAvailable: the system does not report it, or it has ended.
    """
    try:
        place = _PROC / str(pid)
        after_name = (place / "stat").read_text().rpartition(")")[2].split()
        ticks = int(after_name[11]) + int(after_name[12])
        pages = int((place / "statm").read_text().split()[1])
        descriptors, threads = len(os.listdir(place / "fd")), len(os.listdir(place / "task"))
    except (OSError, IndexError, ValueError) as error:
        raise NotAvailable(f"process {pid}: expected its usage in /proc, got none ({error})") from error
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6, descriptors, threads)


@dataclass(frozen=True, slots=True)
class Step:
    """A window of time."""

    sessions: int
    begin: float
    """In seconds of the clock that stamps frames."""
    end: float
    processors: float
    """That the server kept busy."""
    megabytes: float
    """That it held at the end."""
    threads: int
    descriptors: int
    levels: tuple[str, ...]
    """Of the sessions at the end."""
    p95: float
    """Milliseconds, as peers reported meanwhile."""


def watch(group: PeerGroup, url: str, pid: int, seconds: float, wait: Callable[[float], object] = time.sleep) -> Step:
    """Let a group of peers run for so long.

    Raises:
        NotAvailable: the system does not report what the server uses.
    """
    begin, before = time.perf_counter(), usage(pid)
    wait(seconds)
    end, after = time.perf_counter(), usage(pid)
    return Step(
        sessions=len(group.members),
        begin=begin,
        end=end,
        processors=(after.cpu - before.cpu) / (end - begin),
        megabytes=after.megabytes,
        threads=after.threads,
        descriptors=after.descriptors,
        levels=tuple(_level(url, member.session) for member in group.members),
        p95=group.p95(begin),
    )


def summaries_in(step: Step, observations: Sequence[Observed]) -> list[TraceSummary]:
    """What each of those who were there saw in a window, judged by itself."""
    judged = [evaluate(within(observed, step.begin, step.end)) for observed in observations]
    return [found for found in judged if found.pictures]


def within(observed: Observed, begin: float, end: float) -> Observed:
    """The part of what a peer observed from one time to another."""
    kept = [place for place, at in enumerate(observed.at) if begin <= at < end]
    return replace(
        observed,
        at=tuple(observed.at[i] for i in kept),
        codes=tuple(observed.codes[i] for i in kept),
        shown=tuple(observed.shown[i] for i in kept) if observed.shown else (),
        reading=tuple(observed.reading[i] for i in kept) if observed.reading else (),
    )


def recovery(observations: Sequence[Observed], since: float, target: float, span: float = 2.0) -> float:
    """Seconds from a time until, for good, pictures are in time: no span in which p95 is over `target` milliseconds.

    0 where they always were; infinite where nothing was seen.
    """
    later = [evaluate(within(observed, since, np.inf)) for observed in observations]
    pairs = [(observed.at, found) for observed, found in zip(observations, later, strict=True) if found.latency]
    if not pairs:
        return float("inf")
    at = np.concatenate([_first_sight(sight_at, since) + np.array(found.at) for sight_at, found in pairs]) - since
    latency = np.concatenate([found.latency for _, found in pairs])
    late = 0.0
    for begin in np.arange(0.0, max(at.max() - span, 0.0) + span / 4, span / 4):
        chosen = (at >= begin) & (at < begin + span)
        if not chosen.any() or np.percentile(latency[chosen], 95) > target:
            late = begin + span / 4
    return float(late)


def _first_sight(at: Sequence[float], since: float) -> float:
    return next(moment for moment in at if moment >= since)


def _level(url: str, session: str) -> str:
    with urllib.request.urlopen(f"{url}/api/v1/sessions/{session}/statistics", timeout=10) as response:
        return str(json.load(response).get("level"))


@dataclass(frozen=True, slots=True)
class RampPlan:
    """The settings of a ramp."""

    most: int
    """Sessions at which it ends in any case."""
    target: float
    """Milliseconds from glass to glass that 95 of 100 pictures must keep."""
    settle: float
    seconds: float
    """Of each step, that are judged; `settle` before that are not."""


@dataclass(slots=True)
class Ramp:
    """The course of a ramp."""

    steps: list[Step] = field(default_factory=list)
    reports: list[PeerReport] = field(default_factory=list)
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


def climb(server: Server, plan: RampPlan, options: Sequence[str]) -> Ramp:
    """Ramp up, and ease again.

    Raises:
        NotAvailable: a server of somebody else's, whose use of the machine is not known.
        MienError: a peer fails.
    """
    url, pid = server.url, server.pid
    if pid is None:
        raise NotAvailable("load: expected a server of its own to measure, got an address")
    ramp = Ramp()
    with TemporaryDirectory(prefix="mien-bench-") as folder, PeerGroup(url, Path(folder), options) as group:
        broken = 0
        while len(group.members) < plan.most and broken <= BEYOND:
            if group.join().refused:
                ramp.refused += 1
                break
            time.sleep(plan.settle)
            step = watch(group, url, pid, plan.seconds)
            ramp.steps.append(step)
            broken += step.p95 > plan.target
            said = f"p95 about {step.p95:.0f} ms, {step.processors:.2f} processors"
            print(f"  {step.sessions} sessions: {said}", flush=True)
        _ease(group, ramp, plan)
        newest_first = list(group.left)
        group.leave_all()
        ramp.reports = [*group.left[len(newest_first) :], *reversed(newest_first)]
    return ramp


def _ease(group: PeerGroup, ramp: Ramp, plan: RampPlan) -> None:
    """End the newest sessions where the deadline broke, until as many are left as were sustained."""
    keep = ramp.sustained(plan.target)
    if keep == 0 or keep >= len(group.members):
        return
    ramp.eased_at, ramp.eased_to = time.perf_counter(), keep
    while len(group.members) > keep:
        group.leave(group.members[-1])
    time.sleep(BACK)
