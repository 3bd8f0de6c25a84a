"""Clocks that are passed as arguments to everything that measures or waits."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...


class MonotonicClock:
    """The machine's own finest monotonic time."""

    def now(self) -> float:
        return time.perf_counter()


class ManualClock:
    """A clock that is advanced by hand, for tests and replays."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock only moves forward, got {seconds = }")
        self._now += seconds
