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

    slope: float
    """Of the line, for each second."""
    whole: float
    """What the line rises by from its first value to its last."""
    scatter: float
    """Root mean square distance of the values from the line: a rise that is smaller is none."""
    first: float
    """Median of the first quarter."""
    last: float
    """Median of the last quarter."""

    @property
    def an_hour(self) -> float:
        """What an hour adds."""
        return self.slope * 3600

    @property
    def told_apart(self) -> bool:
        """Whether it rises or falls by more than it scatters."""
        return abs(self.whole) > self.scatter


def drift(seconds: Sequence[float], values: Sequence[float], shortest: float = SHORTEST) -> Drift | None:
    """Of values at so many seconds of a run; None where it was shorter than `shortest`. NaN and infinity are left out.

    Anything else that counts on will do for the seconds: the slope is then for each of it.
    """
    if len(seconds) == 0:
        return None
    at, value = np.asarray(seconds, float), np.asarray(values, float)
    late = (at - at[0] >= WARM_UP * (at[-1] - at[0])) & np.isfinite(value)
    at, value = at[late], value[late]
    if len(at) < FEWEST or at[-1] - at[0] < shortest:
        return None
    slope, level = np.polyfit(at, value, 1)
    quarter = max(len(at) // 4, 1)
    return Drift(
        slope=float(slope),
        whole=float(slope * (at[-1] - at[0])),
        scatter=float(np.sqrt(np.mean((value - (slope * at + level)) ** 2))),
        first=float(np.median(value[:quarter])),
        last=float(np.median(value[-quarter:])),
    )
