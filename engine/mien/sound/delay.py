"""Delay lines: sound held back until its picture is shown, without a click when pictures take longer or shorter.

A small change of the delay is followed by playing imperceptibly faster or slower, a larger one by cross-fading to the
right place, so that lips and sound are never far apart for longer than it takes to notice. `SoundDelay` gives as many
samples as it takes, for a virtual microphone; `SoundLine` keeps sound by its time for any number of listeners, which
peers of WebRTC are. Both read one kind of memory (`_Memory`) and follow by one rule (`Following`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.sound.sound import SoundFormat

Samples = NDArray[np.float32]
Places = NDArray[np.float64]

LONGEST = 2.0
"""Seconds; no delay is longer."""
FADE = 0.012
"""Seconds of a cross-fade of `SoundDelay`; of `SoundLine` it is a run."""
WINDOW = 6
"""Frames over which the delay of the video is steadied; even."""
RATE = 48_000
CHANNELS = 2
RUN = 960
"""Of `SoundLine`: samples that are read at once, 20 ms."""
KEPT = 4 * RATE
"""Samples that it remembers."""
JITTER = 0.005
"""Seconds by which the times of its runs may deviate from counting samples."""
RECENT = 150
"""Runs whose delay it remembers: three seconds."""
PUNCTUAL = 0.97
"""Share of the runs that are waited for: a single late one does not hold back all that follows."""
MARGIN = 0.01
"""Seconds between the arrival of sound and its earliest play."""


@dataclass(frozen=True, slots=True)
class Following:
    """How a reader comes to the place where it should be."""

    near: float
    """Seconds of difference that are left alone."""
    far: float
    """Seconds of difference from which on it cross-fades to its place, instead of hurrying or tarrying."""
    stretch: float
    """How much it hurries or tarries, as a share of the speed."""

    def step(self, apart: float, count: int, rate: int) -> float | None:
        """Samples by which to come nearer within `count`, where `apart` are missing; None: cross-fade there."""
        if abs(apart) > self.far * rate:
            return None
        most = self.stretch * count
        return min(max(apart, -most), most) if abs(apart) > self.near * rate else 0.0


MICROPHONE: Final = Following(near=0.003, far=0.015, stretch=0.004)
"""Close, since nothing else is between it and the listener; 0.4 % is a fifteenth of a semitone."""
NETWORK: Final = Following(near=0.005, far=0.06, stretch=0.005)
"""Wider, since times of runs come over a network and jitter by more; 0.5 % is a twelfth of a semitone."""


@dataclass(frozen=True, slots=True)
class VideoDelay:
    """How long pictures take at present, steadied: single late frames do not move the sound."""

    seconds: float | None = None
    recent: tuple[float, ...] = ()


def watch_delay(state: VideoDelay, latency: float) -> VideoDelay:
    """The state after a frame that was shown `latency` seconds after its capture.

    It is the mean of the latest few without the extremes: a mean, since every second frame may take longer.
    """
    recent = (*state.recent, latency)[-WINDOW:]
    kept = sorted(recent)[1:-1] if len(recent) > 2 else recent
    return replace(state, seconds=sum(kept) / len(kept), recent=recent)


class _Memory:
    """The latest samples, by number: a ring buffer. Whatever is not in it is silence."""

    def __init__(self, channels: int, kept: int) -> None:
        self._kept = kept
        self._held = np.zeros((channels, kept), np.float32)
        """The sample with the number n lies at n % kept."""

    def put(self, first: int, samples: Samples) -> None:
        """Take (channels, n) float32, n <= kept, whose first has the number `first`."""
        begin, count = first % self._kept, samples.shape[1]
        whole = min(count, self._kept - begin)
        self._held[:, begin : begin + whole] = samples[:, :whole]
        self._held[:, : count - whole] = samples[:, whole:]

    def clear(self) -> None:
        self._held[:] = 0.0

    def played(self, end: int, places: Places) -> Samples:
        """(channels, n) float32 at n places between samples, interpolated linearly.

        Args:
            end: the number after the latest sample.
            places: float64 (n), from `end` on, so that they stay small: -1 is the latest sample.
        """
        left = np.floor(places).astype(np.int64)
        share = (places - left).astype(np.float32)
        there = (left >= -self._kept) & (np.ceil(places) < 0)
        before, after = self._held[:, (end + left) % self._kept], self._held[:, (end + left + 1) % self._kept]
        return np.asarray((before + share * (after - before)) * there, np.float32)


class SoundDelay:
    """Callable (samples, delay) -> as many samples, those of `delay` seconds ago; one thread."""

    def __init__(self, format: SoundFormat) -> None:
        self._rate = format.rate
        self._memory = _Memory(format.channels, round((LONGEST + 2 * FADE) * format.rate))
        self._end = 0
        """The number of the next sample."""
        self._behind: float | None = None

    @property
    def seconds(self) -> float:
        """The delay at the end of what was last given."""
        return (self._behind or 0.0) / self._rate

    def __call__(self, samples: Samples, delay: float) -> Samples:
        """The next samples, silence at first.

        Args:
            samples: (channels, n) float32 in -1..1, any n.
            delay: wanted, in seconds from 0 to `LONGEST`.

        Returns:
            (channels, n) float32.
        """
        wanted = min(max(delay, 0.0), LONGEST) * self._rate
        parts = [self._part(part, wanted) for part in _cut(samples, max(round(FADE * self._rate), 1))]
        return np.concatenate(parts, axis=1) if parts else samples[:, :0]

    def _part(self, samples: Samples, wanted: float) -> Samples:
        count = samples.shape[1]
        self._memory.put(self._end, samples)
        self._end += count
        behind = wanted if self._behind is None else self._behind
        step = MICROPHONE.step(wanted - behind, count, self._rate)
        self._behind = wanted if step is None else behind + step
        if step is None:
            return _faded(self._played(count, behind, behind), self._played(count, wanted, wanted))
        return self._played(count, behind, self._behind)

    def _played(self, count: int, behind: float, then: float) -> Samples:
        """The newest `count` samples, but from `behind` ago at first and from `then` ago in the end."""
        ago = behind + (then - behind) * np.arange(1, count + 1) / count
        return self._memory.played(self._end, np.arange(-count, 0) - ago)


@dataclass(slots=True)
class Listener:
    """Where one who reads a `SoundLine` is."""

    at: float | None = None
    """The next sample, on the line; None before the first."""


class SoundLine:
    """(2, n) float32 at 48 kHz on a line of seconds, read by any number of listeners at their own pace.

    The picture is late by what the engine takes; a listener hears the sound late by as much. So whatever shows picture
    and sound as they arrive shows them in step. One thread writes and shows, others read.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._memory = _Memory(CHANNELS, KEPT)
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
                self._memory.clear()  # the line began, or began anew
                while len(self._arrivals) > 1:
                    self._arrivals.popleft()
            elif first < end:
                samples, first = samples[:, end - first :], end  # what was there before stays
            else:
                self._memory.put(end, np.zeros((CHANNELS, first - end), np.float32))
            self._memory.put(first, samples)
            self._end = first + samples.shape[1]

    def show(self, seconds: float, now: float) -> None:
        """Take note that the picture of `seconds` on the line is shown at `now`."""
        with self._lock:
            if self._video.seconds is not None and abs(now - seconds - self._video.seconds) > LONGEST:
                self._video = VideoDelay()  # the line began anew
            self._video = watch_delay(self._video, now - seconds)

    def read(self, listener: Listener, now: float) -> Samples | None:
        """(2, 960) float32: what is to be heard from `now` on; None where there is none for long. Moves `listener`."""
        with self._lock:
            wanted = self._wanted(now)
            if self._end is None or wanted is None or wanted - self._end > RATE:
                listener.at = None
                return None
            at = wanted if listener.at is None else listener.at
            step = NETWORK.step(wanted - at, RUN, RATE)
            if step is None:
                listener.at = wanted + RUN
                return _faded(self._played(self._end, at, RUN), self._played(self._end, wanted, RUN))
            listener.at = at + RUN + step
            return self._played(self._end, at, RUN + step)

    def _wanted(self, now: float) -> float | None:
        """The sample to be heard now: that of the picture that is shown, unless sound comes later than that."""
        if not self._arrivals:
            return None
        offset = sorted(self._arrivals)[round(PUNCTUAL * (len(self._arrivals) - 1))] + MARGIN
        if self._video.seconds is not None and self._video.seconds - offset < LONGEST:
            offset = max(offset, self._video.seconds)
        return (now - offset) * RATE

    def _played(self, end: int, at: float, count: float) -> Samples:
        """960 samples out of the `count` from `at` on."""
        return self._memory.played(end, (at - end) + np.arange(RUN) * (count / RUN))


def _cut(samples: Samples, most: int) -> list[Samples]:
    return [samples[:, first : first + most] for first in range(0, samples.shape[1], most)]


def _faded(old: Samples, new: Samples) -> Samples:
    """From one to the other along a half cosine: smooth at both ends; sums to one, since both are the same sound."""
    share = (0.5 - 0.5 * np.cos(np.pi * (np.arange(old.shape[1]) + 0.5) / old.shape[1])).astype(np.float32)
    return np.asarray(old + share * (new - old), np.float32)
