"""How many sessions a machine sustains, so that one too many is refused rather than all of them made slower."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

USABLE: Final = 0.9
"""Share of the processors that sessions may fill."""
RATE: Final = 25.0
"""Frames a second of a session, as cameras in calls are wont to give."""
SETTLED: Final = 5.0
"""Seconds after which a session shows what there is room for."""
COME_AGAIN: Final = 15.0
"""Seconds until a refused one may try again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one frame, in seconds of one processor, at the level that is kept under load: the warp alone."""

    parse: float
    synthesis: float
    codecs: float
    """Decoding what comes and encoding what goes, packets included."""

    @property
    def whole(self) -> float:
        return self.parse + self.synthesis + self.codecs


@dataclass(frozen=True, slots=True)
class Load:
    """How a running session fares."""

    seconds: float
    """Since it began."""
    level: str
    latency: float
    """Seconds from capture to emit, of the last frames."""
    target: float


def sustained(cost: Cost, processors: int, rate: float = RATE) -> int:
    """How many sessions `processors` carry at `rate` frames a second; at least one."""
    return max(math.floor(USABLE * processors / (cost.whole * rate)), 1)


def overloaded(loads: Sequence[Load]) -> bool:
    """Whether those that run have already less than they can do with: another one would take it from them.

    Held pictures, or a latency of twice what was promised though only the warp is left.
    """
    return any(
        load.seconds >= SETTLED and (load.level == "hold" or (load.level == "warp" and load.latency > 2 * load.target))
        for load in loads
    )
