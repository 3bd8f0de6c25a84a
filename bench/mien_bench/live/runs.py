"""Live runs without codecs: the run as it is, the pipeline with nothing to do, many starts and stops."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.capture.source import Source
from mien.chain import open_chain
from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.emit.sink import NullSink
from mien.frame import Frame
from mien.live.session import shares_of
from mien.machine.memory import settled
from mien.pipeline import Stages
from mien.pipeline.chain import SingleStage
from mien.pipeline.controller import LatencyTarget
from mien.pipeline.emitter import Slates
from mien.pipeline.live import LivePipeline
from mien.pipeline.stages import FaceT, MotionT
from mien.portrait.prepare import prepare
from mien.stages import open_driver
from mien.stats import LiveStatistics
from mien_bench.latency.sources import HEIGHT, WIDTH, Pixels, camera
from mien_bench.memory import resident
from mien_bench.results import Chart, Check, Row

LATENCY = 0.1
"""Latency target in seconds."""
_MEMORY_EVERY = 125
STARTS: Final = 200
_SETTLED: Final = 10
"""Starts after which nothing may grow any more."""
Held = tuple[int, int | None, float]
"""Threads, descriptors where the system says, and megabytes."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Checks, rows and charts of a trial."""

    checks: list[Check]
    rows: list[Row] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)


@dataclass(slots=True)
class LiveRun:
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
    def __init__(self, course: LiveRun, statistics: LiveStatistics, now: Callable[[], float]) -> None:
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


def run(source: Source, stages: Stages[FaceT, MotionT], slates: Slates, seconds: float) -> LiveRun:
    """Run for so long; `source` gives frames whose time of capture is on `mien.clock.MonotonicClock`."""
    clock = MonotonicClock()
    statistics, course = LiveStatistics(clock), LiveRun()
    sink = _Noting(course, statistics, clock.now)
    pipeline = LivePipeline(
        source, stages, sink, slates, statistics=statistics, clock=clock, target=LatencyTarget(LATENCY)
    )

    async def main() -> None:
        asyncio.get_running_loop().call_later(seconds, pipeline.stop)
        await pipeline.run()

    asyncio.run(main())
    course.statistics = statistics.as_json()
    return course


@dataclass(frozen=True, slots=True)
class Growth:
    """What starts and stops left behind."""

    starts: int
    threads: int
    descriptors: int | None
    """None where the system does not say."""
    megabytes: float

    @staticmethod
    def between(starts: int, before: Held, after: Held) -> Growth:
        """What there is more after so many starts."""
        descriptors = None if before[1] is None or after[1] is None else after[1] - before[1]
        return Growth(starts, after[0] - before[0], descriptors, after[2] - before[2])


def real(portrait: Path, pictures: list[Pixels], settings: ReenactSettings, seconds: float) -> tuple[LiveRun, str]:
    """A live run of all rooms without codecs, and words that say what makes the pictures."""
    portraits = prepare(portrait, size=settings.size)
    width, height = portraits[0].size
    with open_driver(settings) as driver:
        driver.parse.warm(portraits[0].pixels)
        chain = open_chain(portraits, settings, shares_of(settings).synthesis)
        stages = Stages(driver.parse, driver.motion, chain, driver.parse.shots)
        source = camera(pictures, MonotonicClock())
        with settled():  # as `mien live` is
            return run(source, stages, _black(width, height), seconds), chain.about


def empty(pictures: list[Pixels], seconds: float) -> LiveRun:
    """A live run whose stages do nothing: what is left is the pipeline's own time."""
    return run(camera(pictures, MonotonicClock()), _idle_stages(), _black(WIDTH, HEIGHT), seconds)


def starts(pictures: list[Pixels], count: int = STARTS) -> Growth:
    """Start and stop so often, each time after a few frames."""
    for _ in range(_SETTLED):
        _start_and_stop(pictures)
    before = held()
    for _ in range(count):
        _start_and_stop(pictures)
    return Growth.between(count, before, held())


def _start_and_stop(pictures: list[Pixels]) -> None:
    clock = MonotonicClock()
    pipeline = LivePipeline(
        camera(pictures[:3], clock),
        _idle_stages(),
        NullSink(),
        _black(WIDTH, HEIGHT),
        statistics=LiveStatistics(clock),
        clock=clock,
    )

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.05, pipeline.stop)
        await pipeline.run()

    asyncio.run(main())


def _idle_stages() -> Stages[Frame, Frame]:
    chain: SingleStage[Frame] = SingleStage(lambda motion, frame, level: frame.pixels)
    return Stages(lambda frame: frame, lambda face, seconds: face, chain)


def held() -> Held:
    """What the process holds now."""
    descriptors = Path("/proc/self/fd")
    opened = len(os.listdir(descriptors)) if descriptors.exists() else None
    return threading.active_count(), opened, resident()


def _black(width: int, height: int) -> Slates:
    picture = np.zeros((height, width, 3), np.uint8)
    return Slates(picture, picture)
