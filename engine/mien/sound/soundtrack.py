"""Runs of sound with times -> one unbroken sound track from time 0."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from mien.sound.sound import Sound, SoundFormat

_SILENCE_SECONDS = 1
"""Length of one run of the silence that fills a long gap."""
_JITTER = Fraction(1, 500)
"""Seconds; smaller gaps are rounding."""


class Soundtrack:
    """Places sound by its time: gaps become silence, overlaps and what lies before 0 are cut."""

    def __init__(self, format: SoundFormat) -> None:
        self._format = format
        self._next = 0

    def place(self, sound: Sound) -> Iterator[AudioFrame]:
        """The frames, without gap from the ones before, that bring the track to the end of `sound`.

        Raises:
            ValueError: sound of another format than the track's.
        """
        if sound.format != self._format:
            raise ValueError(f"sound must be {self._format}, got {sound.format}")
        first = round(sound.pts * sound.time_base * self._format.rate)
        samples = sound.samples
        if abs(first - self._next) <= _JITTER * self._format.rate:
            first = self._next
        yield from self._silence_until(first)
        samples = samples[:, max(0, self._next - first) :]
        if samples.shape[1]:
            yield self._frame(samples)

    def _silence_until(self, first: int) -> Iterator[AudioFrame]:
        while self._next < first:
            count = min(first - self._next, _SILENCE_SECONDS * self._format.rate)
            yield self._frame(np.zeros((self._format.channels, count), np.float32))

    def _frame(self, samples: NDArray[np.float32]) -> AudioFrame:
        layout = "mono" if self._format.channels == 1 else "stereo"
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout)
        frame.sample_rate = self._format.rate
        frame.time_base = Fraction(1, self._format.rate)
        frame.pts = self._next
        self._next += samples.shape[1]
        return frame
