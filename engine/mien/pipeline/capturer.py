"""The beginning of a live run: each frame gets a time that can be relied on, and a number."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mien.capture.source import SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.timeline import Times, place
from mien.pipeline.travel import Captured
from mien.sound import Sound
from mien.stats import Statistics


class Capturer:
    """Callable item -> what travels on, None for sound, which goes its own way; used by one thread."""

    def __init__(self, info: SourceInfo, sound: SoundWay, statistics: Statistics, clock: Clock) -> None:
        assert statistics.live is not None
        self._nominal = float(1 / info.rate)
        self._sound = sound
        self._statistics = statistics
        self._counters = statistics.live
        self._clock = clock
        self._times = Times()
        self._latency = statistics.stage("capture")

    def __call__(self, item: Frame | Sound) -> Captured | None:
        now = self._clock.now()
        if isinstance(item, Sound):
            self._sound.hear(item, now)
            return None
        captured_at = item.captured_at or now
        self._latency.record(max(now - captured_at, 0.0))
        self._times = times = place(self._times, item.pts, item.time_base, captured_at)
        assert times.last is not None
        frame = replace(item, pts=times.last, captured_at=captured_at)
        self._sound.see(frame, Fraction(times.last - item.pts) * item.time_base)
        self._counters.jumps = times.jumps
        self._counters.seen_at = now
        self._statistics.frames_in += 1
        return Captured(frame, self._statistics.frames_in, times.interval(self._nominal))
