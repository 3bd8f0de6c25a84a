"""Sound that waits until its picture is shown, read by any number of peers at their own pace.

The picture is late by what the engine takes; a peer hears the sound late by as much. So whatever shows picture and
sound as they arrive shows them in step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from mien.sound.delay import VideoDelay, watch_delay

Samples = NDArray[np.float32]

RATE = 48_000
CHANNELS = 2
RUN = 960
"""Samples that are read at once: 20 ms."""
KEPT = 4 * RATE
"""Samples that are remembered."""
LONGEST = 2.0
"""Seconds by which sound is held back at most."""
JITTER = 0.005
"""Seconds by which the times of runs may deviate from counting samples."""
NEAR = 0.005
"""Seconds by which a reader may be off its place."""
FAR = 0.06
"""Seconds from which on it jumps there, cross-fading, instead of hurrying or tarrying."""
STRETCH = 0.005
"""How much it hurries or tarries: a twelfth of a semitone."""
RECENT = 150
"""Runs whose delay is remembered: three seconds."""
PUNCTUAL = 0.97
"""Share of the runs that are waited for: a single late one does not hold back all that follows."""
MARGIN = 0.01
"""Seconds between the arrival of sound and its earliest play."""


@dataclass(slots=True)
class Place:
    """Where a reader is."""

    at: float | None = None
    """The next sample, on the line; None before the first."""


class SoundLine:
    """(2, n) float32 at 48 kHz on a line of seconds. One thread writes and shows, others read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = np.zeros((CHANNELS, KEPT), np.float32)
        """A ring: the sample with the number n lies at n % KEPT."""
        self._end: int | None = None
        self._video = VideoDelay()
        self._arrivals: deque[float] = deque(maxlen=RECENT)

    def write(self, samples: Samples, seconds: float, now: float) -> None:
        """Take the run that begins at `seconds` on the line, at the time `now`; gaps are silence."""
        first = round(seconds * RATE)
        samples = samples[:, -KEPT:]
        with self._lock:
            end = self._end
            self._arrivals.append(now - first / RATE)
            if end is not None and abs(first - end) <= JITTER * RATE:
                first = end
            if end is None or not -RATE < first - end < KEPT:
                self._held[:] = 0.0  # the line began, or began anew
                while len(self._arrivals) > 1:
                    self._arrivals.popleft()
            elif first < end:
                samples, first = samples[:, end - first :], end  # what was there before stays
            else:
                self._put(end, np.zeros((CHANNELS, first - end), np.float32))
            self._put(first, samples)
            self._end = first + samples.shape[1]

    def show(self, seconds: float, now: float) -> None:
        """Take note that the picture of `seconds` on the line is shown at `now`."""
        with self._lock:
            if self._video.seconds is not None and abs(now - seconds - self._video.seconds) > LONGEST:
                self._video = VideoDelay()  # the line began anew
            self._video = watch_delay(self._video, now - seconds)

    def read(self, place: Place, now: float) -> Samples | None:
        """(2, 960) float32: what is to be heard from `now` on; None where there is none for long. Moves `place`."""
        with self._lock:
            wanted = self._wanted(now)
            if self._end is None or wanted is None or wanted - self._end > RATE:
                place.at = None
                return None
            at = wanted if place.at is None else place.at
            apart = wanted - at
            if abs(apart) > FAR * RATE:
                place.at = wanted + RUN
                return _faded(self._played(at, RUN), self._played(wanted, RUN))
            count = RUN if abs(apart) <= NEAR * RATE else RUN * (1 + STRETCH * float(np.sign(apart)))
            place.at = at + count
            return self._played(at, count)

    def _wanted(self, now: float) -> float | None:
        """The sample to be heard now: that of the picture that is shown, unless sound comes later than that."""
        if not self._arrivals:
            return None
        offset = sorted(self._arrivals)[round(PUNCTUAL * (len(self._arrivals) - 1))] + MARGIN
        if self._video.seconds is not None and self._video.seconds - offset < LONGEST:
            offset = max(offset, self._video.seconds)
        return (now - offset) * RATE

    def _put(self, first: int, samples: Samples) -> None:
        self._held[:, np.arange(first, first + samples.shape[1]) % KEPT] = samples

    def _played(self, at: float, count: float) -> Samples:
        """960 samples out of the `count` from `at` on; silence where there are none."""
        assert self._end is not None
        places = at + np.arange(RUN) * (count / RUN)
        left = np.floor(places).astype(np.int64)
        share = (places - left).astype(np.float32)
        there = (left >= self._end - KEPT) & (left + 1 < self._end)
        before, after = self._held[:, left % KEPT], self._held[:, (left + 1) % KEPT]
        return np.asarray((before + share * (after - before)) * there, np.float32)


def _faded(old: Samples, new: Samples) -> Samples:
    share = (0.5 - 0.5 * np.cos(np.pi * (np.arange(RUN) + 0.5) / RUN)).astype(np.float32)
    return np.asarray(old + share * (new - old), np.float32)
