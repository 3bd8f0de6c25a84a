"""Drift compensation between a microphone's clock and the pictures' clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.sound.sound import SoundFormat

Samples = NDArray[np.float32]

ASTRAY = 0.25
"""Seconds by which sound may be elsewhere than expected before that is believed at once."""
SOONER = 0.02
"""The same, where it comes earlier: what is heard was spoken before, so what was expected came late."""
EARLIER, LATER = 0.5, 0.05
"""Share of what sound is astray that is made good per second, where it comes earlier or later than expected: a run that
is late says little, since it may have waited; one that is early has been heard so soon. Clocks drift for hours."""
STRETCH = 0.005
"""How much longer or shorter a run may become for that."""


class DriftCompensation:
    """Callable (samples, seconds) -> (place, samples), runs without a gap between them; one thread."""

    def __init__(self, format: SoundFormat) -> None:
        self._rate = format.rate
        self._next: float | None = None
        """Seconds at which the next run is expected to begin."""
        self._given = 0
        self._last = np.zeros((format.channels, 1), np.float32)

    def __call__(self, samples: Samples, seconds: float) -> tuple[int, Samples]:
        """Place a run.

        Args:
            samples: (channels, n) float32, n > 0.
            seconds: when its first sample was heard, as well as is known.

        Returns:
            The place of the first sample, counted in samples from time 0, and (channels, m) float32, where m differs
            from n by a few samples at most.
        """
        count = samples.shape[1]
        if self._next is None or not -SOONER <= seconds - self._next <= ASTRAY:
            self._next, self._given = seconds, round(seconds * self._rate)
        length = count / self._rate
        astray = seconds - self._next
        self._next += min((EARLIER if astray < 0 else LATER) * length, 1.0) * astray + length
        most = max(int(STRETCH * count), 1)
        wanted = round(self._next * self._rate) - self._given
        out = stretched(samples, min(max(wanted, count - most), count + most), self._last)
        place, self._given = self._given, self._given + out.shape[1]
        self._last = samples[:, -1:]
        return place, out


def stretched(samples: Samples, count: int, last: Samples) -> Samples:
    """A run (channels, n) in `count` samples, going on from `last` (channels, 1), the last sample of the run before."""
    before = samples.shape[1]
    if count == before:
        return samples
    places = np.arange(1, count + 1) * before / count
    known = np.concatenate([last, samples], axis=1)
    rows = [np.interp(places, np.arange(before + 1), row) for row in known]
    return np.stack(rows).astype(np.float32)
