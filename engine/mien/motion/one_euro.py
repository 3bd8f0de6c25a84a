"""The One Euro filter (Casiez, Roussel and Vogel, CHI 2012): a causal low-pass whose cut-off rises with speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.config import OneEuro

Array = NDArray[np.float64]
SPEED_CUTOFF = 1.0
"""Cut-off of the speed estimate in Hz, as in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """What the filter remembers: plain values, so that a clip can be split anywhere."""

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
