"""Retry delays: exponential back-off."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.errors import SettingError


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off, as a pure function of the number of tries."""

    first: float = 0.5
    """Seconds before the first new try."""
    factor: float = 2.0
    """By which each wait is longer than the one before."""
    most: float = 8.0
    """Seconds that no wait exceeds."""
    patience: float = math.inf
    """Total seconds of waiting after which it gives up; 0: at once."""

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.factor >= 1 and self.most >= self.first and self.patience >= 0):
            raise SettingError(f"a retry needs 0 <= first <= most, factor >= 1 and patience >= 0, got {self}")

    def delay(self, tries: int) -> float | None:
        """Seconds to wait after so many failed `tries` (0: it has just broken off); None: give up."""
        waits = [min(self.first * self.factor ** min(n, 64), self.most) for n in range(tries + 1)]
        return waits[-1] if self.patience > 0 and sum(waits) <= self.patience else None
