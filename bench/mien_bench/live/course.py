"""One live run, and what each of its pictures had cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.capture.source import Source
from mien.clock import MonotonicClock
from mien.emit.sink import NullSink
from mien.frame import Frame
from mien.pipeline import Stages
from mien.pipeline.controller import Target
from mien.pipeline.emitter import Slates
from mien.pipeline.live import LivePipeline
from mien.pipeline.stages import FaceT, MotionT
from mien.stats import LiveStatistics
from mien_bench.memory import resident

LATENCY = 0.1
"""Seconds that are promised."""
_MEMORY_EVERY = 125


@dataclass(slots=True)
class Course:
    """What came out, in the order in which it did."""

    at: list[float] = field(default_factory=list)
    """Seconds from the first picture to each."""
    latency: list[float] = field(default_factory=list)
    """Seconds from capture to emit."""
    level: list[str] = field(default_factory=list)
    """The controller's when it left."""
    megabytes: list[float] = field(default_factory=list)
    """Memory at every 125th."""
    statistics: dict[str, Any] = field(default_factory=dict)
    cpu: float = 0.0
    """Processor seconds of the whole process from the first picture to the last."""

    def between(self, begin: float, end: float) -> NDArray[np.float64]:
        """Latencies in seconds of the pictures that left from `begin` to `end`."""
        at = np.array(self.at)
        return np.array(self.latency)[(at >= begin) & (at < end)]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Noting(NullSink):
    def __init__(self, course: Course, statistics: LiveStatistics, now: Callable[[], float]) -> None:
        super().__init__()
        self._course = course
        self._statistics = statistics
        self._now = now
        self._began: float | None = None
        self._cpu = 0.0

    def write(self, frame: Frame) -> None:
        super().write(frame)
        now, course = self._now(), self._course
        if self._began is None:
            self._began, self._cpu = now, time.process_time()
        course.cpu = time.process_time() - self._cpu
        course.at.append(now - self._began)
        course.latency.append(now - frame.captured_at)
        course.level.append(self._statistics.live.level)
        if len(course.at) % _MEMORY_EVERY == 0:
            course.megabytes.append(resident())


def run(source: Source, stages: Stages[FaceT, MotionT], slates: Slates, seconds: float) -> Course:
    """Run for so long; `source` gives frames whose time of capture is on `mien.clock.MonotonicClock`."""
    clock = MonotonicClock()
    statistics, course = LiveStatistics(clock), Course()
    sink = _Noting(course, statistics, clock.now)
    pipeline = LivePipeline(source, stages, sink, slates, statistics=statistics, clock=clock, target=Target(LATENCY))

    async def main() -> None:
        asyncio.get_running_loop().call_later(seconds, pipeline.stop)
        await pipeline.run()

    asyncio.run(main())
    course.statistics = statistics.as_json()
    return course
