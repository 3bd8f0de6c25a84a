"""The second worker of a live run: what the driver does in a frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline.chain import Chain
from mien.pipeline.controls import Controls
from mien.pipeline.stages import FaceT, MotionT, timed
from mien.pipeline.travel import Captured, Moved
from mien.shots import ShotLog
from mien.stats import Statistics

PARSE, MOTION = "parse", "motion"
SPARSE = 16
"""Every so many pixels each way are looked at for how bright a frame is."""


@dataclass(frozen=True, slots=True)
class LiveStages(Generic[FaceT, MotionT]):
    """What happens to a frame, as plain callables; each is only ever called by one thread."""

    parse: Callable[[Frame], FaceT | None]
    motion: Callable[[FaceT | None, float], MotionT | None]
    chain: Chain
    shots: ShotLog = field(default_factory=ShotLog)
    """What `parse` takes the driver to be made of."""


class Follower(Generic[FaceT, MotionT]):
    """Callable Captured -> Moved; used by one thread. While paused the driver is not looked at."""

    def __init__(
        self, stages: LiveStages[FaceT, MotionT], controls: Controls, statistics: Statistics, clock: Clock
    ) -> None:
        assert statistics.live is not None
        self._parse = timed(statistics.stage(PARSE), clock, stages.parse)
        self._move = timed(statistics.stage(MOTION), clock, stages.motion)
        self._controls = controls
        self._statistics = statistics
        self._counters = statistics.live
        self._motion: MotionT | None = None

    def __call__(self, captured: Captured) -> Moved[MotionT]:
        frame = captured.frame
        self._controls.fulfil()
        if not self._controls.paused:
            face = self._parse(frame)
            self._statistics.frames_without_face += face is None
            self._counters.brightness = None if face is not None else _brightness(frame)
            self._motion = self._move(face, frame.seconds)
        return Moved(captured, self._motion)


def _brightness(frame: Frame) -> float:
    return float(frame.pixels[::SPARSE, ::SPARSE, :3].mean())
