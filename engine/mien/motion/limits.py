"""Soft limits: untouched below a knee, then bending towards a limit that is never reached, with no corner."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Angles

Array = NDArray[np.float64]

YAW, PITCH, ROLL = (24.0, 40.0), (18.0, 30.0), (30.0, 50.0)
"""(knee, limit) in degrees of turn away from the portrait's own pose: beyond, one picture has no skin to show."""
SHIFT = (0.6, 1.2)
"""(knee, limit) of the head's way in eye distances."""
SIZE = (0.2, 0.5)
"""(knee, limit) of the logarithm of the head's relative size."""


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
