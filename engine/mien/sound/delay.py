"""Holding back sound until the picture that it belongs to is shown, without a click when that takes longer or shorter.

A change of a few milliseconds is followed by playing imperceptibly faster or slower; a larger one by cross-fading to
the right place, so that lips and sound are never far apart for longer than it takes to notice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.sound.sound import SoundFormat

Samples = NDArray[np.float32]

LONGEST = 2.0
"""Seconds that are remembered; no delay is longer."""
NEAR = 0.003
"""Seconds of difference that are left alone."""
FAR = 0.015
"""Seconds of difference from which on the line cross-fades instead of stretching."""
STRETCH = 0.004
"""How much faster or slower sound is played: a fifteenth of a semitone."""
FADE = 0.012
"""Seconds of a cross-fade."""
WINDOW = 6
"""Frames over which the delay of the video is steadied; even."""


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


class SoundDelay:
    """Callable (samples, delay) -> as many samples, those of `delay` seconds ago; one thread."""

    def __init__(self, format: SoundFormat) -> None:
        self._rate = format.rate
        self._kept = round((LONGEST + 2 * FADE) * format.rate)
        self._held = np.zeros((format.channels, 2 * self._kept), np.float32)
        self._end = self._kept
        """Where the next sample goes: what is held moves to the front each time that the end is reached."""
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
        self._remember(samples)
        count = samples.shape[1]
        behind = wanted if self._behind is None else self._behind
        apart = wanted - behind
        if abs(apart) > FAR * self._rate:
            self._behind = wanted
            return _faded(self._played(count, behind, behind), self._played(count, wanted, wanted))
        most = STRETCH * count
        moved = behind + float(np.clip(apart, -most, most)) if abs(apart) > NEAR * self._rate else behind
        self._behind = moved
        return self._played(count, behind, moved)

    def _remember(self, samples: Samples) -> None:
        if self._end + samples.shape[1] > self._held.shape[1]:
            self._held[:, : self._kept] = self._held[:, self._end - self._kept : self._end]
            self._end = self._kept
        self._held[:, self._end : self._end + samples.shape[1]] = samples
        self._end += samples.shape[1]

    def _played(self, count: int, behind: float, then: float) -> Samples:
        """The newest `count` samples, but from `behind` ago at first and from `then` ago in the end."""
        ago = behind + (then - behind) * np.arange(1, count + 1) / count
        places = self._end - count + np.arange(count) - ago
        left = np.floor(places).astype(np.int64)
        share = (places - left).astype(np.float32)
        before, after = self._held[:, left], self._held[:, np.minimum(left + 1, self._end - 1)]
        return np.asarray(before + share * (after - before), np.float32)


def _cut(samples: Samples, most: int) -> list[Samples]:
    return [samples[:, first : first + most] for first in range(0, samples.shape[1], most)]


def _faded(old: Samples, new: Samples) -> Samples:
    """From one to the other along a half cosine: smooth at both ends; sums to one, since both are the same sound."""
    share = (0.5 - 0.5 * np.cos(np.pi * (np.arange(old.shape[1]) + 0.5) / old.shape[1])).astype(np.float32)
    return np.asarray(old + share * (new - old), np.float32)
