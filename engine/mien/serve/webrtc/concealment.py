"""Sound in place of what was lost: the last period of what was heard goes on and fades.

libopus could do this better, and read the copy that Opus packets may hold of the one before (in-band FEC); but libav,
by which it is reached here, has it do neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 48_000
LONGEST = 0.1
"""Seconds that are made up at most; what is longer stays silent."""
_FADE = 0.08
"""Seconds in which what is made up fades away."""
_JOIN = 120
"""Samples over which it passes into what comes then."""
_KEPT = 1920
"""Samples of the past that are looked at: 40 ms."""
_SHORTEST, _LONGEST = 120, 840
"""Samples of a period: 400 to 57 Hz."""


class Concealment:
    """Of one stream, (2, n) float32; used by one thread."""

    def __init__(self) -> None:
        self._past = np.zeros((2, 0), np.float32)

    def heard(self, samples: Samples) -> None:
        """Take note of what is heard."""
        self._past = (
            np.concatenate([self._past, samples], axis=1)[:, -_KEPT:]
            if samples.shape[1] < _KEPT
            else samples[:, -_KEPT:]
        )

    def made_up(self, count: int, after: Samples) -> tuple[Samples, Samples]:
        """`count` samples in place of lost ones, and what came after them, with a soft join."""
        if self._past.shape[1] < _KEPT or count > LONGEST * RATE:
            return np.zeros((2, count), np.float32), after
        join = min(_JOIN, after.shape[1])
        total = count + join
        period = self._period()
        places = np.arange(total) % period - period
        made = self._past[:, places] * np.maximum(1 - np.arange(total, dtype=np.float32) / (_FADE * RATE), 0)
        share = (np.arange(join, dtype=np.float32) + 0.5) / join
        joined = after.copy()
        joined[:, :join] = made[:, count:] * (1 - share) + after[:, :join] * share
        return np.asarray(made[:, :count], np.float32), joined

    def _period(self) -> int:
        """Samples after which the past is most like itself."""
        mono = self._past.mean(axis=0)
        last = mono[-_LONGEST:]
        lags = np.arange(_SHORTEST, _LONGEST + 1)
        shifted = np.lib.stride_tricks.sliding_window_view(mono, _LONGEST)[len(mono) - _LONGEST - lags]
        energy = np.sqrt((shifted**2).sum(axis=1)) + 1e-9
        return int(lags[np.argmax(shifted @ last / energy)])
