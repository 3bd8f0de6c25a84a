"""Times of a live stream that stays one line over breaks, lost stamps and clocks that jump."""

from __future__ import annotations

from fractions import Fraction

TIME_BASE = Fraction(1, 90_000)
"""Of every live source, whatever its container's: a new connection may count in another one."""
_BACK = 1
_AHEAD = 5
"""Seconds by which a stamp may go back, or run ahead of the time that has passed, before it is a clock that jumped."""


class LiveTime:
    """Container times -> ticks of `TIME_BASE` from 0, each later than the one before.

    Within a connection the container's times are followed. A new connection, and a clock that jumped, go on at the
    time that has passed since the first frame.
    """

    def __init__(self) -> None:
        self.anchor: Fraction | None = None
        """The container's time that is 0 on this line; None until the first frame of a connection."""
        self._began: float | None = None
        self._last, self._step = -1, 1
        self._seen = 0.0

    def reconnect(self) -> None:
        """What follows comes from a new connection."""
        self.anchor = None

    def place(self, stamp: Fraction | None, now: float) -> int:
        """The time of a frame with the container's `stamp` in seconds, None where it has none, that came at `now`."""
        if self._began is None:
            self._began = self._seen = now
        passed = Fraction(now - self._began)
        if stamp is None:
            ticks = passed / TIME_BASE
        else:
            if self.anchor is None or self._has_jumped(stamp - self.anchor, now):
                self.anchor = stamp - max(passed, (self._last + self._step) * TIME_BASE)
            ticks = (stamp - self.anchor) / TIME_BASE
        place = max(round(ticks), self._last + 1)
        self._step, self._last, self._seen = place - self._last, place, now
        return place

    def _has_jumped(self, time: Fraction, now: float) -> bool:
        step = time - self._last * TIME_BASE
        return step < -_BACK or step > _AHEAD + now - self._seen
