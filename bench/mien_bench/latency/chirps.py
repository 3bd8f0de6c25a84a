"""Chirps that begin with certain frames, and their detection by cross-correlation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.sound.sound import SoundFormat

Samples = NDArray[np.float32]

FORMAT: Final = SoundFormat(48_000, 1)
EVERY: Final = 25
"""Frames from one chirp to the next; one begins with each frame whose number is a multiple."""
LENGTH: Final = 0.03
"""Seconds."""
APART: Final = 0.2
"""Seconds within which no other burst can begin: at 100 frames a second they are 0.25 s apart."""
_LOW, _HIGH = 700.0, 3500.0
"""Hertz at the beginning and the end: what speech codecs keep."""
_LOUDNESS: Final = 0.6
_GAP: Final = 0.002
"""Seconds between two runs from which on they do not belong together."""
_BLOCK: Final = 4.0
"""Seconds of sound that are searched at once."""
_LEAST: Final = 0.35
"""Detection threshold of the normalised correlation."""


def chirp() -> Samples:
    """One chirp, (n,) float32, windowed so that it does not click."""
    time = np.arange(round(LENGTH * FORMAT.rate)) / FORMAT.rate
    phase = 2 * np.pi * (_LOW * time + (_HIGH - _LOW) * time**2 / (2 * LENGTH))
    made: Samples = (_LOUDNESS * np.sin(phase) * np.sin(np.pi * time / LENGTH) ** 2).astype(np.float32)
    return made


def with_chirps(first: int, count: int, starts: list[int]) -> Samples:
    """(1, count) samples from number `first` on: silence but for bursts that begin at the samples `starts`."""
    out, burst = np.zeros((1, count), np.float32), chirp()
    for start in starts:
        low, high = max(start, first), min(start + len(burst), first + count)
        if low < high:
            out[0, low - first : high - first] = burst[low - start : high - start]
    return out


def heard(samples: Samples) -> list[float]:
    """Fractional sample numbers at which chirps begin in (n,) float32 at 48 kHz."""
    burst = chirp()
    if len(samples) < len(burst):
        return []
    score = np.abs(_correlated(samples, burst)) / float(burst @ burst)
    found: list[float] = []
    apart = round(APART * FORMAT.rate)
    while (best := int(np.argmax(score))) >= 0 and score[best] >= _LEAST:
        found.append(best + _between(score, best))
        score[max(best - apart, 0) : best + apart] = 0
    return sorted(found)


class Listener:
    """Finds bursts in sound that comes in runs, for as long as it comes: only the last seconds of it are kept."""

    def __init__(self) -> None:
        self._runs: list[Samples] = []
        self._begin = self._end = 0.0
        self._held = 0
        self._found: list[float] = []

    def hear(self, samples: Samples, first: float) -> None:
        """(n,) samples at 48 kHz, with the second of the first one."""
        if self._runs and abs(first - self._end) > _GAP:
            self._search(whole=True)
        if not self._runs:
            self._begin = first
        self._runs.append(samples)
        self._held += len(samples)
        self._end = first + len(samples) / FORMAT.rate
        if self._held >= _BLOCK * FORMAT.rate:
            self._search(whole=False)

    def bursts(self) -> tuple[float, ...]:
        """Seconds at which bursts began, in all that was heard."""
        self._search(whole=True)
        return tuple(self._found)

    def _search(self, *, whole: bool) -> None:
        """`whole`: nothing follows; else the end is kept, in case that a burst has just begun."""
        if not self._runs:
            return
        run = np.concatenate(self._runs)
        settled = len(run) if whole else len(run) - 2 * len(chirp())
        for position in heard(run):
            second = self._begin + position / FORMAT.rate
            if position < settled and not (self._found and abs(second - self._found[-1]) < APART):
                self._found.append(second)
        self._runs = [] if whole else [run[settled:]]
        self._held = len(run) - settled
        self._begin += settled / FORMAT.rate


def _correlated(samples: Samples, burst: Samples) -> NDArray[np.float64]:
    """(n - m + 1,) dot products of the burst with the samples from each on."""
    size = 1 << int(len(samples) + len(burst)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(burst, size))
    product: NDArray[np.float64] = np.fft.irfft(spectrum, size)[: len(samples) - len(burst) + 1]
    return product


def _between(score: NDArray[np.float64], best: int) -> float:
    """Sub-sample offset of a maximum: the top of the parabola through it and its neighbours."""
    if not 0 < best < len(score) - 1:
        return 0.0
    left, top, right = score[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend else 0.0
