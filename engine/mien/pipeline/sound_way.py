"""The path of the sound beside the frames of a live run.

A sink that stores times gets the sound with its time stamps, shifted as the frames' are, so the two are in step however
long pictures take. A virtual microphone has no time stamps: it gets the sound delayed by the present picture latency.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

from mien.frame import Frame
from mien.sound.delay import SoundDelay, VideoDelay, watch_delay
from mien.sound.drift import ASTRAY, DriftCompensation
from mien.sound.sound import Sound
from mien.stats import LiveCounters

WAITING = 200
"""Capacity for runs of sound that wait for the sink, some seconds."""
STEADY = 0.05
"""Weight of the newest run in the running mean of the sound's age."""


class Player(Protocol):
    """Plays sound as it comes, such as a virtual microphone."""

    @property
    def latency(self) -> float:
        """Seconds from `play` to when it is heard."""
        ...

    def play(self, sound: Sound) -> None:
        """Never waits for long; used by one thread."""
        ...


class SoundWay:
    """Collects sound on the capturing thread; the emitting thread fetches it for the sink."""

    def __init__(self, counters: LiveCounters, player: Player | None = None, *, deaf: bool = False) -> None:
        """`deaf`: ignore the source's own sound, because a microphone is used instead."""
        self._counters = counters
        self._player = player
        self._deaf = deaf
        self._waiting: deque[Sound] = deque()
        self._line: SoundDelay | None = None
        self._video = VideoDelay()
        self._shift = Fraction(0)
        self._anchor: tuple[float, float] | None = None
        """Time of a frame, and when it was captured, in seconds."""
        self._placed: DriftCompensation | None = None
        self._already: float | None = None

    def see(self, frame: Frame, shift: Fraction) -> None:
        """Record a captured frame whose time stamp was shifted by `shift` seconds."""
        self._shift = shift
        self._anchor = (frame.seconds, frame.captured_at)

    def hear(self, sound: Sound, now: float) -> None:
        """Take sound of the source, with its own time stamp, that arrived at `now`."""
        if not self._deaf:
            self._hear(replace(sound, pts=sound.pts + round(self._shift / sound.time_base)), now)

    def listen(self, sound: Sound, now: float) -> None:
        """Take sound of a microphone, whose time stamp is not used; its last sample was recorded at `now`."""
        if self._anchor is None:
            return  # no picture yet
        if self._placed is None:
            self._placed = DriftCompensation(sound.format)
        seconds, captured_at = self._anchor
        length = sound.samples.shape[1] / sound.format.rate
        place, samples = self._placed(sound.samples, seconds + now - length - captured_at)
        self._hear(Sound(samples, place, Fraction(1, sound.format.rate), sound.format), now)

    def fetch(self) -> Iterator[Sound]:
        """Sound since the last call, for the sink."""
        while self._waiting:
            yield self._waiting.popleft()

    def show(self, latency: float) -> None:
        """Record a picture that is shown `latency` seconds after its capture."""
        self._video = watch_delay(self._video, latency)
        if self._line is not None and self._already is not None:
            self._counters.sound.record(self._line.seconds + self._already - latency)

    def _hear(self, sound: Sound, now: float) -> None:
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self._counters.sound_dropped += 1
        self._waiting.append(sound)
        if self._player is None:
            return
        if self._line is None:
            self._line = SoundDelay(sound.format)
        wanted = (self._video.seconds or 0.0) - self._on_its_way(sound, now + self._player.latency)
        self._player.play(replace(sound, samples=self._line(sound.samples, wanted)))

    def _on_its_way(self, sound: Sound, now: float) -> float:
        """Smoothed age in seconds of a run's first sample at `now`."""
        if self._anchor is None:
            return 0.0  # no picture yet
        seconds, captured_at = self._anchor
        newest = now - captured_at - (sound.seconds - seconds)
        if self._already is None or abs(newest - self._already) > ASTRAY:
            self._already = newest
        self._already += STEADY * (newest - self._already)
        return self._already
