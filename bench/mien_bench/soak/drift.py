"""What changes over a long run: a straight line through what follows the warm-up, and the first quarter by the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

WARM_UP: Final = 0.2
"""Share of a run in which caches may still fill."""
FEWEST: Final = 8
SHORTEST: Final = 180.0
"""Values, and seconds of them, below which nothing is told of a drift: an hour cannot be told from a minute."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Of a series over time, after the warm-up."""

    an_hour: float
    """Slope of the line, in the series' unit."""
    whole: float
    """What the line rises by from its first value to its last."""
    scatter: float
    """Root mean square distance of the values from the line: a rise that is smaller is none."""
    first: float
    """Median of the first quarter."""
    last: float
    """Median of the last quarter."""

    @property
    def told_apart(self) -> bool:
        """Whether it rises or falls by more than it scatters."""
        return abs(self.whole) > self.scatter


def drift(seconds: Sequence[float], values: Sequence[float]) -> Drift | None:
    """Of values at so many seconds of a run; None where it was too short. NaN and infinity are left out."""
    if len(seconds) == 0:
        return None
    at, value = np.asarray(seconds, float), np.asarray(values, float)
    late = (at - at[0] >= WARM_UP * (at[-1] - at[0])) & np.isfinite(value)
    at, value = at[late], value[late]
    if len(at) < FEWEST or at[-1] - at[0] < SHORTEST:
        return None
    slope, level = np.polyfit(at, value, 1)
    quarter = max(len(at) // 4, 1)
    return Drift(
        an_hour=float(slope * 3600),
        whole=float(slope * (at[-1] - at[0])),
        scatter=float(np.sqrt(np.mean((value - (slope * at + level)) ** 2))),
        first=float(np.median(value[:quarter])),
        last=float(np.median(value[-quarter:])),
    )
