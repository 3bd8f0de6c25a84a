"""Frames per second of late."""

from __future__ import annotations

from collections import deque

from mien.clock import Clock
from mien.stats import Statistics

APART, OVER = 0.2, 1.5
"""Seconds between two looks that count, and over which the rate is taken."""


class Fps:
    """Looks at counters now and then; used by one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=64)
        self.coming = 0.0
        """Frames a second that the source gave."""
        self.going = 0.0
        """Frames a second that were shown."""

    def see(self, statistics: Statistics) -> None:
        """Look at the counters; whoever asks oftener than every fifth of a second is told the same again."""
        now = self._clock.now()
        if self._seen and now - self._seen[-1][0] < APART:
            return
        self._seen.append((now, statistics.frames_in, statistics.frames_out))
        while len(self._seen) > 2 and now - self._seen[1][0] >= OVER:
            self._seen.popleft()
        (then, came, went), (_, comes, goes) = self._seen[0], self._seen[-1]
        if now > then:
            self.coming, self.going = (comes - came) / (now - then), (goes - went) / (now - then)
