"""The time of each stage of one frame, one after the other, without decode and encode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline import Stages
from mien.stats import UNTIMED, Laps, Statistics, Stopwatch

FaceT = TypeVar("FaceT")
MotionT = TypeVar("MotionT")

WHOLE = "frame"
"""Name of the sum over all stages."""


def measure(
    stages: Stages[FaceT, MotionT],
    frames: Sequence[Frame],
    warm_up: int,
    clock: Clock,
    shown: Callable[[NDArray[np.uint8]], None] = lambda pixels: None,
) -> Statistics:
    """Send `frames` through `stages` on the calling thread; the first `warm_up` frames are not counted.

    Stages still use the threads that they were given, but no two stages run at once, so each has the machine to itself.

    `shown` is given every picture, outside of what is timed.
    """
    for frame in frames[:warm_up]:
        shown(answer(stages, frame, UNTIMED))
    statistics = Statistics(clock)
    statistics.announce(*stages.names)
    laps, whole = Stopwatch(statistics, clock), Stopwatch(statistics, clock)
    for frame in frames[warm_up:]:
        statistics.frames_in += 1
        whole.begin()
        pixels = answer(stages, frame, laps)
        whole.lap(WHOLE)
        shown(pixels)
        statistics.frames_out += 1
    statistics.end()
    return statistics


def answer(stages: Stages[FaceT, MotionT], frame: Frame, laps: Laps) -> NDArray[np.uint8]:
    """What answers a frame; `laps` is told of every stage."""
    laps.begin()
    face = stages.parse(frame)
    laps.lap("parse")
    motion = stages.motion(face, frame.seconds)
    laps.lap("motion")
    return stages.chain(motion, frame, "full", laps)
