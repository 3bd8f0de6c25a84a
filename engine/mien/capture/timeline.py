"""Times of a container that can be relied on: one line without jumps, each time later than the one before.

A camera's clock is set anew, a counter of 33 bits wraps, a writer restarts, a stamp is missing: what the container says
then is moved to where the stream goes on. Pictures and sound of one container share what is left out, so that they stay
in step whichever of them comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

_BACK = 1
"""Seconds; a step back by more is a clock that was reset, by less a faulty stamp."""
_ALIKE = 1
"""Seconds by which the jumps of two streams of one container may differ and still be one."""
GAP = Fraction(60)
"""Seconds of a file without anything in them, from which on a gap is a clock that jumped."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was seen of one stream so far, in seconds."""

    offset: Fraction = Fraction(0)
    """Added to the container's times."""
    last: Fraction | None = None
    """The latest place."""
    step: Fraction = Fraction(0)
    """How long what stands there lasts."""


def follow(
    line: Line, stamp: Fraction | None, step: Fraction, until: Fraction | None, hint: Fraction, gap: Fraction = GAP
) -> tuple[Line, Fraction, Fraction]:
    """What comes next on a line: the line after it, its time, and by how much the container's clock jumped there.

    Args:
        stamp: the container's time; None where it has none, which is right after what came before.
        step: how long it lasts.
        until: how far time is known to have passed, by the other stream or by a clock.
        hint: the offset at which the container's other stream is.
        gap: seconds beyond all that is known at which a clock has jumped.
    """
    last = line.last
    if last is None:
        time = stamp + line.offset if stamp is not None else Fraction(0)
        return replace(line, last=time, step=step), time, Fraction(0)
    due = last + line.step
    if stamp is None:
        return replace(line, last=due, step=step), due, Fraction(0)
    time, jump = stamp + line.offset, Fraction(0)
    known = due if until is None else max(due, until)
    if not last - _BACK <= time <= known + gap:
        shared = stamp + hint
        moved = shared if due - _ALIKE <= shared <= known + _ALIKE else due
        jump = time - moved if moved is due else Fraction(0)
        line, time = replace(line, offset=moved - stamp), moved
    return replace(line, last=max(time, last), step=step), time, jump


class Timeline:
    """The line of a container's pictures, in ticks: missing, duplicate and backward times repaired, jumps closed."""

    def __init__(self, time_base: Fraction, step: int, gap: Fraction = GAP) -> None:
        """`step`: ticks from one frame to the next where the stream does not say; `gap`: see `follow`."""
        self._time_base = time_base
        self._step = max(1, step)
        self._gap = gap
        self._line = Line()
        self._last: int | None = None
        self.jumped = Fraction(0)
        """Seconds by which the container's clock jumped before the latest frame; 0 where it did not."""

    @property
    def offset(self) -> Fraction:
        """Seconds that are added to the container's times at present."""
        return self._line.offset

    @property
    def last(self) -> Fraction | None:
        """The latest time in seconds."""
        return self._line.last

    def believed(self, duration: int | None) -> int | None:
        """How long a frame lasts in ticks, None where the container does not say, or what a jump made of it."""
        return duration if duration and duration * self._time_base <= self._gap else None

    def place(
        self,
        pts: int | None,
        duration: int | None = None,
        *,
        until: Fraction | None = None,
        hint: Fraction = Fraction(0),
    ) -> int:
        """The time of the next frame in presentation order, in ticks: always greater than the previous result."""
        stamp = None if pts is None else pts * self._time_base
        step = (self.believed(duration) or self._step) * self._time_base
        self._line, time, self.jumped = follow(self._line, stamp, step, until, hint, self._gap)
        placed = round(time / self._time_base)
        self._last = placed if self._last is None else max(placed, self._last + 1)
        return self._last
