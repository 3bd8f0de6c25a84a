"""The third worker of a live run: the portrait's picture, made as well as there is time for."""

from __future__ import annotations

from typing import Generic

import numpy as np
from numpy.typing import NDArray

from mien.clock import Clock
from mien.pipeline.chain import Chain, ChainPlace
from mien.pipeline.controller import HOLD
from mien.pipeline.controls import Controls
from mien.pipeline.governor import Governor
from mien.pipeline.stages import PARSE, MotionT
from mien.pipeline.travel import Answered, Moved
from mien.stats import LiveStatistics, Stopwatch

Pixels = NDArray[np.uint8]

RENEWED = 0.25
"""Seconds after which a held picture is made anew all the same: a machine that is too slow shows few pictures, not one.
"""


class Synthesiser(Generic[MotionT]):
    """Callable Moved -> Answered; used by one thread, which owns the device."""

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

    def __call__(self, moved: Moved[MotionT]) -> Answered:
        chain = self._present()
        frame, level = moved.captured.frame, self._governor.level
        pixels = self._last if self._holds(level) else None
        held = pixels is not None
        if pixels is None:
            self._made_at = began = self._clock.now()
            self._last = pixels = chain(moved.motion, frame, self._governor.paint(level), self._laps)
            self._busy.add(level, self._clock.now() - began)
        slowest = max(self._busy.seconds(level), self._statistics.stage(PARSE).recent)
        answer = frame.answer(pixels, "rgba" if pixels.shape[2] == 4 else "rgb24")
        return Answered(answer, moved.captured, level, slowest, held)

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
    """How long pictures take to make at the present level, on average over the last few."""

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
