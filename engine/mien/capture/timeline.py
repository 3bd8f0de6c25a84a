"""Presentation times that can be relied on: each later than the one before."""

from __future__ import annotations

from fractions import Fraction

_JUMP = 1
"""Seconds; a step back by more is a clock that was reset, by less a faulty stamp."""


class Timeline:
    """Repairs missing, duplicate and backward times of one stream; good ones pass untouched."""

    def __init__(self, time_base: Fraction, step: int) -> None:
        """`step`: ticks from one frame to the next where the stream does not say."""
        self._step = max(1, step)
        self._jump = _JUMP / time_base
        self._offset = 0
        self._last: int | None = None
        self._last_step = self._step

    def place(self, pts: int | None, duration: int | None = None) -> int:
        """The time of the next frame in presentation order, in ticks: always greater than the previous result."""
        self._last = self._next(pts)
        self._last_step = duration or self._step
        return self._last

    def _next(self, pts: int | None) -> int:
        if self._last is None:
            return pts or 0
        if pts is None:
            return self._last + self._last_step
        placed = pts + self._offset
        if placed > self._last:
            return placed
        if self._last - placed > self._jump:
            self._offset = self._last + self._last_step - pts
            return self._last + self._last_step
        return self._last + 1
