"""Several pictures of one person: the one nearest in pose answers, and a switch is a short cross-fade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import angles_of
from mien.portrait.portrait import Portrait

Array = NDArray[np.float64]

MARGIN = 5.0
"""Degrees by which another picture must be nearer before it takes over."""
FADE = 0.25
"""Seconds that a switch takes; until it is over, no other begins."""


@dataclass(frozen=True, slots=True)
class BankState:
    """Which picture answers, which one it replaces, and since when."""

    current: int = 0
    before: int | None = None
    since: float = 0.0


def choose(state: BankState, distances: Array, seconds: float) -> BankState:
    """The state at `seconds` for distances (k,) of the pictures to the wanted pose, in degrees."""
    if state.before is not None and 0 <= seconds - state.since < FADE:
        return state
    nearest = int(np.argmin(distances))
    if distances[nearest] < distances[state.current] - MARGIN:
        return BankState(nearest, state.current, seconds)
    return BankState(state.current)


def weights(state: BankState, seconds: float) -> tuple[tuple[int, float], ...]:
    """(picture, weight) of those that show at `seconds`; weights sum to 1."""
    if state.before is None:
        return ((state.current, 1.0),)
    share = min(max((seconds - state.since) / FADE, 0.0), 1.0)
    if share >= 1.0:
        return ((state.current, 1.0),)
    return ((state.before, 1.0 - share), (state.current, share))


def pose_distances(portraits: tuple[Portrait, ...], rotation: Array) -> Array:
    """(k,): angle in degrees between the wanted head rotation (3, 3) and each picture's own."""
    turns = [angles_of(portrait.pose.rotation.T @ rotation) for portrait in portraits]
    return np.array([np.hypot(turn.yaw, turn.pitch) for turn in turns])
