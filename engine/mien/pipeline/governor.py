"""The deadline controller in use, and why a live run is not as good as it could be."""

from __future__ import annotations

from dataclasses import replace

from mien.pipeline.controller import LEVELS, ControllerState, LatencyTarget, Measured, begin, step
from mien.pipeline.stages import MOTION, PARSE
from mien.posed import PaintLevel
from mien.stats import LiveCounters, LiveStatistics, Statistics

SETTLING = 10
"""Frames ignored at the beginning, while caches are cold and models start."""
HALF, WARP = LEVELS.index("half"), LEVELS.index("warp")


class Governor:
    """Holder of the controller's state. One thread updates it, one asks what to paint, any may read."""

    def __init__(self, target: LatencyTarget, counters: LiveCounters) -> None:
        self._wished = target
        self._target = target
        self._counters = counters
        self._state = begin(target)
        self._seen = 0
        self._carried = True

    @property
    def state(self) -> ControllerState:
        """Of the controller at present."""
        return self._state

    @property
    def level(self) -> int:
        """At present, as an index of `LEVELS`."""
        return self._state.level

    @property
    def at_best(self) -> bool:
        """Whether nothing above the level is to be had."""
        return self._state.level <= self._target.highest

    def watch(self, measured: Measured, now: float) -> None:
        """Update the state with an emitted frame."""
        self._counters.count_level(LEVELS[measured.level])
        self._seen += 1
        if self._seen > SETTLING:
            self._state = step(self._state, measured, now, self._target)
            self._counters.level = self._state.name

    def promise(self, latency: float) -> None:
        """Change the target latency in seconds, from any thread; the level changes with later frames."""
        self._wished = replace(self._wished, latency=latency)
        self._target = replace(self._target, latency=latency)

    def aim(self, best: int) -> None:
        """Set the best level of a new chain; if it differs, begin at that level."""
        highest = max(best, self._wished.highest)
        if highest != self._target.highest:
            self._target = replace(self._target, highest=highest)
            self._state = begin(self._target)
            self._counters.level = self._state.name

    def paint(self, level: int) -> PaintLevel:
        """What the generator does for the next frame at `level`."""
        if level >= WARP:
            self._carried = True  # there is no painting to warp: painting comes first
            return "off"
        self._carried = level == HALF and not self._carried
        return "carry" if self._carried else "full"


DARK = 40.0
"""Mean brightness, 0..255, below which a picture counts as dark."""
AROUND = ("capture", "encode", "capture_to_emit")
"""Stages outside of the parsing and synthesising workers."""


def reason(statistics: LiveStatistics) -> str | None:
    """The present problem; None if there is none."""
    live = statistics.live
    if live.stalled:
        return "the source gives no pictures"
    if live.brightness is not None:
        dark = live.brightness < DARK
        return "no face is seen: it is too dark" if dark else "no face is seen"
    return live.cause


def slowest(statistics: Statistics, interval: float) -> str:
    """The slowest stage, for frames every `interval` seconds: the cause of a lower level."""
    workers = [[PARSE, MOTION], [name for name in statistics.stage_names() if name not in (PARSE, MOTION, *AROUND)]]
    recent = {name: statistics.stage(name).recent for worker in [*workers, ["encode"]] for name in worker}
    totals = [sum(recent[name] for name in worker) for worker in [*workers, ["encode"]]]
    name = max(recent, key=lambda name: recent[name])
    if max(totals) < 0.9 * interval:
        return "slow: other programs keep the processor busy"
    return f"slow: {name} takes {recent[name] * 1e3:.0f} ms of the {interval * 1e3:.0f} that there are"
