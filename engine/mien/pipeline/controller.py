"""Deadline controller: how much is computed for a frame, as a pure function of state, measurement and time.

Levels from expensive to cheap: the generator on every frame; on every second frame, its picture warped in between; the
warp alone; the last picture held. Misses (late or lost frames) lower the level, one step at a time. Lasting slack
raises it; each failed attempt doubles the waiting time, so that a machine between two levels does not alternate
visibly. Level `hold` is left after a shorter time, and a single miss does not prevent that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

Level = Literal["full", "half", "warp", "hold"]
LEVELS: tuple[Level, ...] = get_args(Level)
FULL, HOLD = 0, len(LEVELS) - 1

MISSES = 3.0
"""Misses in a row that lower the level."""
FORGIVEN = 0.1
"""By how much a frame in time lowers the count of misses: up to one miss in eleven frames is tolerated."""
SLACK = 0.75
"""Fraction of its time that a frame may use and still count as slack."""
WAIT, LONGEST_WAIT = 2.0, 30.0
"""Seconds of slack before the level is raised: initially, and at most."""
LONGEST_HELD = 4.0
"""Longest wait in seconds before leaving `hold`: a still picture is worse than some late ones."""
PROVEN = 10.0
"""Seconds without a step down after which the waiting time is reset to its initial value."""
MEMORY = 0.15
"""Weight of the newest frame in the running load."""


@dataclass(frozen=True, slots=True)
class LatencyTarget:
    """Targets of a live run."""

    latency: float = 0.1
    """Seconds from capture to emit."""
    highest: int = FULL
    """The best level that there is, as an index of `LEVELS`: `warp` where no generator runs."""
    rate: float = math.inf
    """Frames per second, where the source has more; infinite: as many as the source has."""

    def __post_init__(self) -> None:
        if not self.latency > 0 or not FULL <= self.highest <= HOLD or not self.rate > 0:
            raise ValueError(f"expected a latency and rate above 0 and a level from {FULL} to {HOLD}, got {self}")


@dataclass(frozen=True, slots=True)
class Measured:
    """One emitted frame."""

    latency: float
    """Seconds from capture to emit."""
    interval: float
    """Seconds from one frame of the source to the next, at its present rate."""
    busy: float
    """Seconds that the slowest worker spent on a frame, on average over frames of this level."""
    lost: int
    """Frames of the source that were dropped since the one before."""
    level: int
    """Level at which it was made: frames made before a step say nothing about the present level."""


@dataclass(frozen=True, slots=True)
class ControllerState:
    """State of the controller between frames."""

    level: int = FULL
    misses: float = 0.0
    load: float = 0.0
    """Running mean of the fraction of their time that frames use."""
    slack_since: float | None = None
    wait: float = WAIT
    changed_at: float | None = None
    rose: bool = False
    """Whether the last step raised the level."""
    missed_at: float | None = None

    @property
    def name(self) -> Level:
        """Of the level."""
        return LEVELS[self.level]


def begin(target: LatencyTarget) -> ControllerState:
    """The initial state: the best available level."""
    return ControllerState(level=target.highest)


def step(state: ControllerState, measured: Measured, now: float, target: LatencyTarget) -> ControllerState:
    """The state after one emitted frame; `now` in seconds of a clock that moves forward. At most one level changes."""
    if measured.level != state.level:
        return state
    state = replace(state, load=_mixed(state.load, _load(measured, target)))
    if _missed(measured, target):
        return _after_miss(state, measured, now)
    state = _proven(replace(state, misses=max(state.misses - FORGIVEN, 0.0)), now)
    return _after_frame_in_time(state, now, target)


def _load(measured: Measured, target: LatencyTarget) -> float:
    return max(measured.latency / target.latency, measured.busy / measured.interval if measured.interval > 0 else 0.0)


def _missed(measured: Measured, target: LatencyTarget) -> bool:
    return measured.latency > target.latency or measured.lost > 0


def _after_miss(state: ControllerState, measured: Measured, now: float) -> ControllerState:
    """Frames that are late together, as after the process was stopped, count as one miss."""
    burst = state.missed_at is not None and now - state.missed_at < measured.interval / 2
    state = replace(state, missed_at=now, misses=state.misses + (0.0 if burst else 1.0))
    if state.level == HOLD:
        slack = state.slack_since if state.misses < MISSES else None
        return replace(state, misses=min(state.misses, MISSES), slack_since=slack)
    if state.misses < MISSES:
        return replace(state, slack_since=None)
    failed = state.rose and state.changed_at is not None and now - state.changed_at < PROVEN
    wait = min(state.wait * 2, LONGEST_WAIT) if failed else state.wait
    return ControllerState(state.level + 1, wait=wait, changed_at=now, missed_at=now)


def _proven(state: ControllerState, now: float) -> ControllerState:
    quiet = state.changed_at is not None and now - state.changed_at >= PROVEN
    return replace(state, wait=WAIT) if quiet and state.rose else state


def _after_frame_in_time(state: ControllerState, now: float, target: LatencyTarget) -> ControllerState:
    if state.level <= target.highest or state.load > SLACK:
        return replace(state, slack_since=None)
    since = now if state.slack_since is None else state.slack_since
    if now - since < (min(state.wait, LONGEST_HELD) if state.level == HOLD else state.wait):
        return replace(state, slack_since=since)
    return ControllerState(state.level - 1, wait=state.wait, changed_at=now, rose=True, missed_at=state.missed_at)


def _mixed(before: float, newest: float) -> float:
    return before + MEMORY * (newest - before)
