"""The time of each stage of one frame, one after the other, without decode and encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mien.clock import Clock
from mien.frame import Frame
from mien.pipeline import Stages, timed
from mien.stats import Statistics

WHOLE = "frame"
"""Name of the sum over all stages."""


def measure(stages: Stages[Any, Any], frames: Sequence[Frame], warm_up: int, clock: Clock) -> Statistics:
    """Send `frames` through `stages` on the calling thread; the first `warm_up` frames are not counted.

    Stages still use the threads that they were given, but no two stages run at once, so each has the machine to itself.
    """
    for frame in frames[:warm_up]:
        _answer(stages, frame)
    statistics = Statistics(clock)
    watched = _watched(stages, statistics, clock)
    answer = timed(statistics.stage(WHOLE), clock, _answer)
    for frame in frames[warm_up:]:
        statistics.frames_in += 1
        answer(watched, frame)
        statistics.frames_out += 1
    statistics.end()
    return statistics


def _watched(stages: Stages[Any, Any], statistics: Statistics, clock: Clock) -> Stages[Any, Any]:
    return Stages(
        parse=timed(statistics.stage("parse"), clock, stages.parse),
        motion=timed(statistics.stage("motion"), clock, stages.motion),
        synthesis=tuple((name, timed(statistics.stage(name), clock, call)) for name, call in stages.synthesis),
    )


def _answer(stages: Stages[Any, Any], frame: Frame) -> Any:
    (_, first), *others = stages.synthesis
    value = first(stages.motion(stages.parse(frame), frame.seconds), frame)
    for _, call in others:
        value = call(value)
    return value
