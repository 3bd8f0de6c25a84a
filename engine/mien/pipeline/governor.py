"""The deadline controller in use: fed by the worker that emits, asked by the worker that makes pictures."""

from __future__ import annotations

from dataclasses import replace

from mien.pipeline.controller import LEVELS, ControllerState, Measured, Target, begin, step
from mien.posed import PaintLevel
from mien.stats import LiveCounters

SETTLING = 10
"""Frames at the beginning that say nothing: caches are cold and models start."""
HALF, WARP = LEVELS.index("half"), LEVELS.index("warp")


class Governor:
    """The present level. One thread watches, one asks what to paint, any may read."""

    def __init__(self, target: Target, counters: LiveCounters) -> None:
        self._wished = target
        self._target = target
        self._counters = counters
        self._state = begin(target)
        self._seen = 0
        self._carried = True

    @property
    def state(self) -> ControllerState:
        return self._state

    @property
    def level(self) -> int:
        return self._state.level

    @property
    def at_best(self) -> bool:
        return self._state.level <= self._target.highest

    def watch(self, measured: Measured, now: float) -> None:
        """Take note of an emitted frame."""
        self._counters.count_level(LEVELS[measured.level])
        self._seen += 1
        if self._seen > SETTLING:
            self._state = step(self._state, measured, now, self._target)
            self._counters.level = self._state.name

    def promise(self, latency: float) -> None:
        """Take another latency in seconds, from any thread; the level stays until frames call for another one."""
        self._wished = replace(self._wished, latency=latency)
        self._target = replace(self._target, latency=latency)

    def aim(self, best: int) -> None:
        """Take note of a chain that has nothing above `best`; where that is news, begin at its best level."""
        highest = max(best, self._wished.highest)
        if highest != self._target.highest:
            self._target = replace(self._target, highest=highest)
            self._state = begin(self._target)
            self._counters.level = self._state.name

    def paint(self, level: int) -> PaintLevel:
        """What the generator is to do for the next frame at `level`."""
        if level >= WARP:
            self._carried = True  # there is nothing to carry on: painting comes first
            return "off"
        self._carried = level == HALF and not self._carried
        return "carry" if self._carried else "full"
