"""So many sessions for a while: what they saw, and what the server used meanwhile."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien_bench.latency.trace import Found, Sight, evaluate
from mien_bench.load.crowd import Crowd
from mien_bench.load.usage import usage


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
    """Milliseconds, as peers told of it meanwhile."""


def watch(crowd: Crowd, url: str, pid: int, seconds: float, wait: Callable[[float], object] = time.sleep) -> Step:
    """Let the members of a crowd be for so long.

    Raises:
        NotHere: the system does not tell what the server uses.
    """
    begin, before = time.perf_counter(), usage(pid)
    wait(seconds)
    end, after = time.perf_counter(), usage(pid)
    return Step(
        sessions=len(crowd.members),
        begin=begin,
        end=end,
        processors=(after.cpu - before.cpu) / (end - begin),
        megabytes=after.megabytes,
        threads=after.threads,
        descriptors=after.descriptors,
        levels=tuple(_level(url, member.session) for member in crowd.members),
        p95=crowd.p95(begin),
    )


def found_in(step: Step, sights: Sequence[Sight]) -> list[Found]:
    """What each of those who were there saw in a window, judged by itself."""
    judged = [evaluate(within(sight, step.begin, step.end)) for sight in sights]
    return [found for found in judged if found.pictures]


def within(sight: Sight, begin: float, end: float) -> Sight:
    """The part of a sight from one time to another."""
    kept = [place for place, at in enumerate(sight.at) if begin <= at < end]
    return replace(
        sight,
        at=tuple(sight.at[i] for i in kept),
        codes=tuple(sight.codes[i] for i in kept),
        shown=tuple(sight.shown[i] for i in kept) if sight.shown else (),
        reading=tuple(sight.reading[i] for i in kept) if sight.reading else (),
    )


def recovery(sights: Sequence[Sight], since: float, target: float, span: float = 2.0) -> float:
    """Seconds from a time until, for good, pictures are in time: no span in which p95 is over `target` milliseconds.

    0 where they always were; infinite where nothing was seen.
    """
    later = [evaluate(within(sight, since, np.inf)) for sight in sights]
    pairs = [(sight.at, found) for sight, found in zip(sights, later, strict=True) if found.latency]
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
