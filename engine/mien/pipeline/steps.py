"""The steps of a live run between source and sink, each used by one thread, and what travels between them.

    Capturer       item -> Captured           a time that can be relied on, a number, and no more frames than are wanted
    TrackingStep   Captured -> TrackedFrame   what the driver does in the frame
    Synthesiser    TrackedFrame -> Answered   the portrait's picture, made as well as there is time for

The slots between them are the pipeline's (`mien.pipeline.live`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from mien.capture.source import SourceInfo
from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline.chain import Chain, ChainPlace
from mien.pipeline.controller import HOLD
from mien.pipeline.controls import Controls
from mien.pipeline.governor import Governor
from mien.pipeline.sound_way import SoundWay
from mien.pipeline.stages import MOTION, PARSE, FaceT, MotionT, Stages
from mien.sound.sound import Sound
from mien.stats import LiveStatistics, Stopwatch
from mien.timeline import ClockTimes, keep_beside


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured frame with its repaired time."""

    frame: Frame
    number: int
    """Counted over all frames of the source."""
    interval: float
    """Seconds to the next frame at the source's present rate."""


@dataclass(frozen=True, slots=True)
class TrackedFrame(Generic[MotionT]):
    """A captured frame with the driver's motion."""

    captured: Captured
    motion: MotionT | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The portrait's picture for a frame."""

    frame: Frame
    captured: Captured
    level: int
    """At which it was made, as an index of `mien.pipeline.controller.LEVELS`."""
    busy: float
    """Seconds that the slowest worker takes for a frame, on average."""
    held: bool = False
    """Whether the previous picture is repeated, so its lips do not move."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Due time of the next frame in seconds of the frames' time; None before the first one."""

    due: float | None = None


def passes(pace: Pace, seconds: float, interval: float, early: float) -> tuple[Pace, bool]:
    """The pace after a frame at `seconds`, and whether it passes, for one frame every `interval` seconds.

    A frame may come `early` seconds before it is due, since sources jitter. One that gives fewer loses none.
    """
    if pace.due is None or seconds - pace.due > interval:
        return Pace(seconds + interval), True
    if seconds < pace.due - early:
        return pace, False
    return Pace(pace.due + interval), True


JITTER = 0.25
"""Fraction of a source's interval by which a frame may be early."""


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


SPARSE = 16
"""Sampling step in pixels for a frame's brightness."""


class TrackingStep(Generic[FaceT, MotionT]):
    """Callable Captured -> TrackedFrame; used by one thread. While paused the driver is not looked at."""

    def __init__(
        self, stages: Stages[FaceT, MotionT], controls: Controls, statistics: LiveStatistics, clock: Clock
    ) -> None:
        self._parse, self._move = stages.parse, stages.motion
        self._laps = Stopwatch(statistics, clock)
        self._controls = controls
        self._statistics = statistics
        self._counters = statistics.live
        self._motion: MotionT | None = None

    def __call__(self, captured: Captured) -> TrackedFrame[MotionT]:
        frame = captured.frame
        self._controls.fulfil()
        if not self._controls.paused:
            self._laps.begin()
            face = self._parse(frame)
            self._laps.lap(PARSE)
            self._motion = self._move(face, frame.seconds)
            self._laps.lap(MOTION)
            self._statistics.frames_without_face += face is None
            self._counters.brightness = None if face is not None else _brightness(frame)
        return TrackedFrame(captured, self._motion)


def _brightness(frame: Frame) -> float:
    return float(frame.pixels[::SPARSE, ::SPARSE, :3].mean())


Pixels = NDArray[np.uint8]

RENEWED = 0.25
"""Seconds after which a held picture is made anew all the same: a machine that is too slow shows few pictures, not one.
"""


class Synthesiser(Generic[MotionT]):
    """Callable TrackedFrame -> Answered; runs on one thread, which owns the device."""

    def __init__(
        self,
        chains: ChainPlace[MotionT],
        governor: Governor,
        controls: Controls,
        statistics: LiveStatistics,
        clock: Clock,
    ) -> None:
        self._chains = chains
        self._governor = governor
        self._controls = controls
        self._statistics = statistics
        self._counters = statistics.live
        self._clock = clock
        self._chain: Chain[MotionT] | None = None
        self._laps = Stopwatch(statistics, clock)
        self._last: Pixels | None = None
        self._made_at = 0.0
        self._busy = _Busy()

    def __call__(self, tracked: TrackedFrame[MotionT]) -> Answered:
        chain = self._present()
        frame, level = tracked.captured.frame, self._governor.level
        pixels = self._last if self._holds(level) else None
        held = pixels is not None
        if pixels is None:
            self._made_at = began = self._clock.now()
            self._last = pixels = chain(tracked.motion, frame, self._governor.paint(level), self._laps)
            self._busy.add(level, self._clock.now() - began)
        slowest = max(self._busy.seconds(level), self._statistics.stage(PARSE).recent)
        answer = frame.answer(pixels, "rgba" if pixels.shape[2] == 4 else "rgb24")
        return Answered(answer, tracked.captured, level, slowest, held)

    def _holds(self, level: int) -> bool:
        return self._controls.paused or (level == HOLD and self._clock.now() - self._made_at < RENEWED)

    def _present(self) -> Chain[MotionT]:
        """The chain for the next frame."""
        chain = self._chains.take()
        if chain is not self._chain:
            self._counters.swaps += self._chain is not None
            self._chain, self._last = chain, None
            self._statistics.announce(*chain.names)
            self._governor.aim(chain.best)
        return chain


class _Busy:
    """Running mean of the synthesis time at the present level."""

    def __init__(self) -> None:
        self._level = -1
        self._mean = 0.0
        self._count = 0

    def add(self, level: int, seconds: float) -> None:
        if level != self._level:
            self._level, self._mean, self._count = level, 0.0, 0
        self._count += 1
        self._mean += (seconds - self._mean) / min(self._count, 8)

    def seconds(self, level: int) -> float:
        return self._mean if level == self._level else 0.0
