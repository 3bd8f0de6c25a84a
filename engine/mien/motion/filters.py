"""Filters of motion channels, as pure functions of time: One Euro, soft limits, easing for lost faces."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.config import OneEuro
from mien.face.pose import Angles
from mien.sums import smoothstep

Array = NDArray[np.float64]
SPEED_CUTOFF = 1.0
"""Cut-off of the speed estimate in Hz, as in the paper."""
YAW, PITCH, ROLL = (24.0, 40.0), (18.0, 30.0), (30.0, 50.0)
"""(knee, limit) in degrees of turn away from the portrait's own pose: beyond, one picture does not show the skin."""
SHIFT = (0.6, 1.2)
"""(knee, limit) of the head's way in eye distances."""
SIZE = (0.2, 0.5)
"""(knee, limit) of the logarithm of the head's relative size."""
HOLD = 0.5
"""Seconds for which the last motion stays."""
EASE_OUT, EASE_IN = 0.8, 0.3
"""Seconds from full motion to neutral, and back."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """State of the filter: plain values, so a clip can be split anywhere."""

    value: Array
    speed: Array
    seconds: float


def one_euro(state: FilterState | None, value: Array, seconds: float, settings: OneEuro) -> FilterState:
    """One step: the filtered `value` (any shape) at time `seconds` is the returned state's `value`.

    A repeated or earlier time keeps the state: the clock of a stream may jump.
    """
    if state is None:
        return FilterState(value, np.zeros_like(value), seconds)
    step = seconds - state.seconds
    if step <= 0:
        return state if step == 0 else FilterState(state.value, state.speed, seconds)
    speed = state.speed + _share(SPEED_CUTOFF, step) * ((value - state.value) / step - state.speed)
    share = _share(settings.min_cutoff + settings.beta * np.abs(speed), step)
    return FilterState(state.value + share * (value - state.value), speed, seconds)


def _share(cutoff: float | Array, step: float) -> Array:
    """Weight of the new value in a first-order low-pass of `cutoff` Hz over `step` seconds."""
    ratio = 2 * np.pi * step * np.asarray(cutoff)
    return np.asarray(ratio / (ratio + 1))


def soft_limit(value: float, knee: float, limit: float) -> float:
    """`value` where its magnitude is below `knee`, and a smooth approach to `limit` beyond."""
    size = abs(value)
    if size <= knee:
        return value
    room = limit - knee
    return math.copysign(knee - room * math.expm1((knee - size) / room), value)


def limit_turn(turn: Angles) -> Angles:
    """A turn from neutral with each of its angles softly limited."""
    pairs = ((turn.yaw, YAW), (turn.pitch, PITCH), (turn.roll, ROLL))
    return Angles(*(soft_limit(angle, *bounds) for angle, bounds in pairs))


def limit_shift(translation: Array) -> Array:
    """A (2,) way of the head with its length softly limited."""
    length = math.hypot(*translation)
    return translation if length <= SHIFT[0] else translation * (soft_limit(length, *SHIFT) / length)


def limit_scale(scale: float) -> float:
    """A relative size softly limited both ways."""
    return math.exp(soft_limit(math.log(scale), *SIZE))


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of the last seen motion is shown."""

    level: float = 0.0
    """0 neutral .. 1 all of it, linear in time."""
    seen_at: float | None = None
    """When the face was last seen, in seconds."""
    at: float | None = None
    """Time of the last step."""

    @property
    def share(self) -> float:
        """`level` as a smoothstep."""
        return smoothstep(self.level)


def step_presence(state: Presence, seen: bool, seconds: float) -> Presence:
    """The state at `seconds`, with the face `seen` or not. Times that stand still or jump back change nothing."""
    if seen and state.seen_at is None:
        return Presence(1.0, seconds, seconds)
    step = max(seconds - state.at, 0.0) if state.at is not None else 0.0
    if seen:
        return Presence(min(state.level + step / EASE_IN, 1.0), seconds, seconds)
    lost_for = seconds - state.seen_at if state.seen_at is not None else 0.0
    level = state.level - step / EASE_OUT if lost_for > HOLD else state.level
    return Presence(max(level, 0.0), state.seen_at, seconds)
