"""How much is done for a frame, so that it leaves in time: a pure function of state, measurement and time.

Levels from dear to cheap: the generator on every frame; on every second one, its picture carried on in between; the
warp alone; the last good picture held. Down after a few frames that came too late or were lost, one level at a time. Up
after slack that lasts; and after each attempt that failed the wait doubles, so that a machine between two levels is not
seen to change its mind. Out of held pictures the way is short, and a miss by itself does not bar it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

Level = Literal["full", "half", "warp", "hold"]
LEVELS: tuple[Level, ...] = get_args(Level)
FULL, HOLD = 0, len(LEVELS) - 1

MISSES = 3.0
"""So many misses in a row lead down."""
FORGIVEN = 0.1
"""What a frame in time takes back of them: up to one miss in eleven frames is borne for good."""
SLACK = 0.75
"""Share of its time that a frame may use for there to be slack."""
WAIT, LONGEST_WAIT = 2.0, 30.0
"""Seconds of slack that lead up at first, and at most."""
LONGEST_HELD = 4.0
"""Seconds of slack that lead out of held pictures at most: one that stands still is worse than some that are late."""
PROVEN = 10.0
"""Seconds without a step down after which a level counts as right, and the wait is the first one again."""
MEMORY = 0.15
"""Weight of the newest frame in the running load."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised."""

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
    """At which it was made: what is still on its way from before a step says nothing about the present level."""


@dataclass(frozen=True, slots=True)
class ControllerState:
    """All that is remembered."""

    level: int = FULL
    misses: float = 0.0
    load: float = 0.0
    """Running share of the time that frames use."""
    slack_since: float | None = None
    wait: float = WAIT
    changed_at: float | None = None
    rose: bool = False
    """Whether the last step led up."""
    missed_at: float | None = None

    @property
    def name(self) -> Level:
        """Of the level."""
        return LEVELS[self.level]


def begin(target: Target) -> ControllerState:
    """At the best level that there is."""
    return ControllerState(level=target.highest)


def step(state: ControllerState, measured: Measured, now: float, target: Target) -> ControllerState:
    """The state after one emitted frame; `now` in seconds of a clock that moves forward. At most one level changes."""
    if measured.level != state.level:
        return state
    state = replace(state, load=_mixed(state.load, _load(measured, target)))
    if _missed(measured, target):
        return _after_miss(state, measured, now)
    state = _proven(replace(state, misses=max(state.misses - FORGIVEN, 0.0)), now)
    return _after_frame_in_time(state, now, target)


def _load(measured: Measured, target: Target) -> float:
    return max(measured.latency / target.latency, measured.busy / measured.interval if measured.interval > 0 else 0.0)


def _missed(measured: Measured, target: Target) -> bool:
    return measured.latency > target.latency or measured.lost > 0


def _after_miss(state: ControllerState, measured: Measured, now: float) -> ControllerState:
    """Frames that come late together, as after the process was stopped for a while, are one miss."""
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


def _after_frame_in_time(state: ControllerState, now: float, target: Target) -> ControllerState:
    if state.level <= target.highest or state.load > SLACK:
        return replace(state, slack_since=None)
    since = now if state.slack_since is None else state.slack_since
    if now - since < (min(state.wait, LONGEST_HELD) if state.level == HOLD else state.wait):
        return replace(state, slack_since=since)
    return ControllerState(state.level - 1, wait=state.wait, changed_at=now, rose=True, missed_at=state.missed_at)


def _mixed(before: float, newest: float) -> float:
    return before + MEMORY * (newest - before)
