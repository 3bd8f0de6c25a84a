"""The beginning of a live run: each frame gets a time that can be relied on, and a number."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from mien.capture.source import SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline.pace import Pace, passes
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.travel import Captured
from mien.sound.sound import Sound
from mien.stats import LiveStatistics
from mien.timeline import ClockTimes, keep_beside

JITTER = 0.25
"""Share of a source's interval by which a frame may come early."""


class Capturer:
    """Callable item -> what travels on; None for sound, which goes its own way, and for frames that are not wanted.

    Used by one thread.
    """

    def __init__(
        self, info: SourceInfo, sound: SoundWay, statistics: LiveStatistics, clock: Clock, rate: float = math.inf
    ) -> None:
        """`rate`: so many frames per second at most."""
        self._nominal = float(1 / info.rate)
        self._least = 1 / rate
        self._pace = Pace()
        self._number = 0
        self._sound = sound
        self._statistics = statistics
        self._counters = statistics.live
        self._clock = clock
        self._times = ClockTimes()
        self._latency = statistics.stage("capture")

    def __call__(self, item: Frame | Sound) -> Captured | None:
        now = self._clock.now()
        if isinstance(item, Sound):
            self._sound.hear(item, now)
            return None
        captured_at = item.captured_at or now
        self._latency.record(max(now - captured_at, 0.0))
        self._times = times = keep_beside(self._times, item.pts, item.time_base, captured_at)
        assert times.last is not None
        frame = replace(item, pts=times.last, captured_at=captured_at)
        self._sound.see(frame, Fraction(times.last - item.pts) * item.time_base)
        self._counters.jumps = times.jumps
        self._counters.seen_at = now
        self._statistics.frames_in += 1
        interval = times.interval(self._nominal)
        self._pace, wanted = passes(self._pace, frame.seconds, self._least, JITTER * interval)
        if not wanted:
            self._counters.thinned += 1
            return None
        self._number += 1
        return Captured(frame, self._number, max(interval, self._least))
