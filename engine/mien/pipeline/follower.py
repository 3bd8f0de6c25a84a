"""The second worker of a live run: what the driver does in a frame."""

from __future__ import annotations

from typing import Generic

from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline.controls import Controls
from mien.pipeline.stages import MOTION, PARSE, FaceT, MotionT, Stages
from mien.pipeline.travel import Captured, Moved
from mien.stats import LiveStatistics, Stopwatch

SPARSE = 16
"""Every so many pixels each way are looked at for how bright a frame is."""


class Follower(Generic[FaceT, MotionT]):
    """Callable Captured -> Moved; used by one thread. While paused the driver is not looked at."""

    def __init__(
        self, stages: Stages[FaceT, MotionT], controls: Controls, statistics: LiveStatistics, clock: Clock
    ) -> None:
        self._parse, self._move = stages.parse, stages.motion
        self._laps = Stopwatch(statistics, clock)
        self._controls = controls
        self._statistics = statistics
        self._counters = statistics.live
        self._motion: MotionT | None = None

    def __call__(self, captured: Captured) -> Moved[MotionT]:
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
        return Moved(captured, self._motion)


def _brightness(frame: Frame) -> float:
    return float(frame.pixels[::SPARSE, ::SPARSE, :3].mean())
