"""The part of a source that is played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mien.errors import SettingError

_FINEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds from the source's beginning, exact."""

    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    """None: to the end."""

    @classmethod
    def of(cls, start: float, duration: float | None) -> Span:
        """A span as users give it.

        Raises:
            SettingError: a negative start, or a duration that is not positive.
        """
        if not (math.isfinite(start) and start >= 0):
            raise SettingError(f"start must be 0 or more seconds, got {start:g}")
        if duration is not None and not (math.isfinite(duration) and duration > 0):
            raise SettingError(f"duration must be more than 0 seconds, got {duration:g}")
        return cls(_exact(start), None if duration is None else _exact(duration))

    def count(self, frames: int | None, rate: Fraction) -> int | None:
        """How many of a source's `frames` at `rate` lie in the span; None where neither end is known."""
        wanted = None if self.duration is None else math.ceil(self.duration * rate)
        if frames is None:
            return wanted
        left = max(0, frames - math.ceil(self.start * rate))
        return left if wanted is None else min(left, wanted)


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(_FINEST)
