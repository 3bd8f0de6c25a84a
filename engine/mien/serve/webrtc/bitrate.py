"""How many bits a second a peer gets: as many as arrive."""

from __future__ import annotations

from dataclasses import dataclass

from mien.serve.webrtc.settings import BitrateLimits

CALM = 0.02
"""Share of lost packets up to which the rate rises."""
LOSSY = 0.10
"""Share of lost packets from which on it falls."""
RISE = 1.08
"""By how much it rises in a second."""
QUEUED = 0.15
"""Seconds that a round trip may take longer than the shortest one: beyond, packets queue on the way."""
QUEUED_CUT = 0.85
STALE = 10.0
"""Seconds after which what the receiver estimated counts no more."""
_STEP = 1.0
"""Seconds between two steps upwards, or two for the same queue."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a receiver tells."""

    lost: float
    """Share of the packets since its last report, 0..1."""
    round_trip: float | None = None
    """Seconds."""


class BitrateControl:
    """The target follows the receiver's estimate (REMB) and its reports of loss and delay; one thread.

    Times are in seconds of any one clock.
    """

    def __init__(self, limits: BitrateLimits) -> None:
        self._limits = limits
        self._target = float(limits.begin)
        self._estimate: tuple[float, float] | None = None
        self._shortest: float | None = None
        self._suffers = False
        self._rose_at = self._cut_at = float("-inf")

    @property
    def target(self) -> int:
        """Bits a second, within the limits."""
        return round(self._target)

    def estimate(self, bits: float, now: float) -> None:
        """Take the receiver's own estimate of what it can get, in bits a second."""
        self._estimate = (bits, now)
        self._set(self._target, now)

    def report(self, report: Report, now: float) -> None:
        """Take a receiver's report, about one a second."""
        queued = self._is_queued(report.round_trip)
        self._suffers = queued or report.lost >= CALM
        if queued:
            if now - self._cut_at >= _STEP:
                self._cut_at = now
                self._set(self._target * QUEUED_CUT, now)
        elif report.lost > LOSSY:
            self._set(self._target * (1 - report.lost / 2), now)
        elif report.lost < CALM and now - self._rose_at >= _STEP:
            self._rose_at = now
            self._set(self._target * RISE, now)

    def _is_queued(self, round_trip: float | None) -> bool:
        if round_trip is None:
            return False
        self._shortest = round_trip if self._shortest is None else min(self._shortest, round_trip)
        return round_trip > self._shortest + QUEUED

    def _set(self, bits: float, now: float) -> None:
        if self._estimate is not None and now - self._estimate[1] < STALE:
            bits = min(bits, self._estimate[0] if self._suffers else max(self._estimate[0], self._limits.easy))
        self._target = min(max(bits, self._limits.least), self._limits.most)
