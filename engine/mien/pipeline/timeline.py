"""Times of a live source that can be relied on: they move forward, and as fast as the world does.

A camera's clock jumps, a network stream begins anew, a stopped process wakes up: the source's own times then say
something else than the clock on the wall. As long as both agree, the source's times pass untouched; where they part for
more than a moment, the source's times are shifted to where the wall's clock says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

APART = 1.0
"""Seconds by which the source's times may run ahead or behind: queues of drivers and networks, drifting clocks."""
RECENT = 15
"""Frames whose distances are remembered."""
LONGEST = 1.0
"""Seconds; a longer step is a gap and no rate."""


@dataclass(frozen=True, slots=True)
class Times:
    """What was seen of a source's times so far."""

    offset: int = 0
    """Added to the source's own, in ticks."""
    last: int | None = None
    """Of the latest frame, in ticks."""
    anchor: tuple[int, float] | None = None
    """The first frame's time in ticks, and when it was captured: where the line is beside the clock for good."""
    steps: tuple[float, ...] = ()
    """Distances of the latest frames in seconds."""
    jumps: int = 0
    """How often the source's times were shifted."""

    def interval(self, nominal: float) -> float:
        """Seconds between frames at the present rate; `nominal` until enough frames have been seen."""
        return median(self.steps) if len(self.steps) >= RECENT // 3 else nominal


def place(times: Times, pts: int, time_base: Fraction, captured_at: float) -> Times:
    """The times after a frame of `pts` ticks that was captured at `captured_at` seconds; its own is then `last`."""
    if times.last is None or times.anchor is None:
        return replace(times, last=pts, anchor=(pts, captured_at))
    placed, last = pts + times.offset, times.last
    anchored, at = times.anchor
    expected = anchored + round((captured_at - at) / time_base)
    if abs(placed - expected) * time_base > APART or placed <= last - round(APART / time_base):
        # not from the place it gets, which may be ahead of the clock: each jump would add to that
        times = replace(times, offset=expected - pts, jumps=times.jumps + 1)
        placed = expected
    placed = max(placed, last + 1)
    return replace(times, last=placed, steps=_with(times.steps, float((placed - last) * time_base)))


def _with(steps: Sequence[float], step: float) -> tuple[float, ...]:
    return (*steps, step)[-RECENT:] if step < LONGEST else tuple(steps)
