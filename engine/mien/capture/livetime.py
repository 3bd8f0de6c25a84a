"""When the frames of a live stream are shown: one line that stays beside the clock on the wall.

A stream that comes as time passes is followed by its own times; what came late or early by more than a moment is moved
to where the wall is, so that nothing that happened once is carried along for ever. A sender that can be held up may
give more than that at once, as HLS does by segments: what it gave is then played out by its own times. A container
whose times are invented, or pass at another rate than the frames come, is followed by when they came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

TICKS = 90_000
TIME_BASE = Fraction(1, TICKS)
"""Of every live source, whatever its container's: a new connection may count in another one."""
LATE = 0.1
"""Seconds that a frame may come after its time before its time is moved."""
EARLY = 0.5
"""Seconds that a frame may come before its time where its sender cannot be held up; it is shown at once."""
HOLD = 0.1
"""Seconds before its time at which a frame is shown where its sender can be held up."""
START = 0.3
"""Seconds that such a sender is given to get ahead, at first and wherever it was late."""
STEADY = 0.15
"""Seconds that frames may be early by turns and still count as coming evenly."""
PATIENCE, PATIENCE_MOST = 1.0, 60.0
"""Seconds of frames that come evenly, but early, until what they are early by is left out; doubled by each time."""
WINDOW, WINDOW_LEAST, WINDOW_FRAMES = 2.0, 0.5, 64
"""Seconds and frames over which the rate of arrival is measured."""
ALIKE = 0.1
"""Share by which own times may pass faster or slower than frames come and still count as right."""
STORED = 3.0
"""Times its invented rate at which a stream is stored and no camera's."""
REGULAR = 0.25
"""Seconds; a longer wait between two frames says nothing of their rate, unless they are as rare as that."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a source gives its frames."""

    patient: bool = False
    """Whether its sender can be held up, so that nothing is lost by waiting."""
    nominal: bool = False
    """Whether its container has no times, and those that libav gives are counted at an invented rate."""
    unhurried: bool = False
    """Whether who reads takes all that such a sender has, however long that takes: nothing waits, or is late."""
    sounding: bool = False
    """Whether sound comes with it, in step with its own times: where both are slow, it is the network."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a frame was there to be read."""

    at: float
    """Seconds of the clock."""
    held: bool = False
    """Whether it would have come sooner, had there been room for it: then `at` is when it was wanted."""


@dataclass(frozen=True, slots=True)
class Times:
    """What was seen so far."""

    began: float | None = None
    """When the line's 0 is on the clock; None until the first frame is shown."""
    anchor: int | None = None
    """The stream's time in ticks that is 0 on this line; None until the first frame of a connection."""
    last: int = -1
    """The latest place in ticks."""
    step: int = 1
    measured: bool = False
    """Whether frames are placed by when they come."""
    recent: tuple[tuple[float, int], ...] = ()
    """When the latest frames came, in seconds, and their own times in ticks."""
    even: tuple[float, int, int] | None = None
    """Since when frames come evenly, and the least and the most that their own times were ahead of the clock."""
    patience: float = PATIENCE
    gave_back: float | None = None
    """When time was last left out."""


def begun(times: Times, now: float, manner: Manner) -> Times:
    """The line after its first frame was taken, at `now`, to be shown."""
    return replace(times, began=now + (START if manner.patient and not manner.unhurried else 0.0))


def reconnected(times: Times) -> Times:
    """What follows comes from a new connection."""
    return replace(times, anchor=None, measured=False, recent=(), even=None)


def place(times: Times, stamp: int, arrival: Arrival, manner: Manner) -> Times:
    """The times after a frame of the stream's time `stamp` in ticks; its place is `last`, later than the one before."""
    began = times.began if times.began is not None else arrival.at
    passed = round((arrival.at - began) * TICKS)
    if times.anchor is None:
        times, at = _anchored(times, stamp, passed, manner)
    else:
        times = _watched(times, stamp, arrival, manner)
        times, at = _placed(times, stamp, passed, arrival, manner)
    put = max(at, times.last + 1)
    return replace(times, step=put - times.last, last=put)


def early(times: Times, place: int, now: float, manner: Manner) -> float:
    """Seconds to wait at `now` until a frame is shown whose place in ticks is `place`."""
    if not manner.patient or manner.unhurried or times.began is None:
        return 0.0
    return max(times.began + place / TICKS - HOLD - now, 0.0)


def late_by(times: Times, now: float) -> float:
    """Seconds since the latest frame was due; below 0: until then."""
    return 0.0 if times.began is None else now - times.began - times.last / TICKS


def _anchored(times: Times, stamp: int, passed: int, manner: Manner) -> tuple[Times, int]:
    if times.last < 0:
        return replace(times, anchor=stamp), 0
    at = max(passed + (_ticks(START) if manner.patient else 0), times.last + times.step)
    return replace(times, anchor=stamp - at), at


def _placed(times: Times, stamp: int, passed: int, arrival: Arrival, manner: Manner) -> tuple[Times, int]:
    assert times.anchor is not None
    own = stamp - times.anchor
    if times.began is None:
        return times, own
    if times.measured:
        at = passed
    elif manner.unhurried and manner.patient:
        return times, own
    elif own < passed - _ticks(LATE):
        at = passed - _ticks(LATE) if not manner.patient else passed if arrival.held else passed + _ticks(START)
    elif not manner.patient and own > passed + _ticks(EARLY):
        at = passed + _ticks(EARLY)
    else:
        return _given_back(times, own, arrival, manner)
    return replace(times, anchor=stamp - at), at


def _given_back(times: Times, own: int, arrival: Arrival, manner: Manner) -> tuple[Times, int]:
    """Leave out what frames that come evenly are early by, once that has lasted."""
    if not manner.patient or times.even is None or times.began is None or times.anchor is None:
        return times, own
    since, least, _ = times.even
    ahead = least - times.anchor + round(times.began * TICKS)
    if ahead <= _ticks(HOLD) or arrival.at - since < times.patience:
        return times, own
    again = times.gave_back is not None and arrival.at - times.gave_back < PATIENCE_MOST
    patience = min(2 * times.patience, PATIENCE_MOST) if again else 2 * PATIENCE
    times = replace(times, anchor=times.anchor + ahead, even=None, patience=patience, gave_back=arrival.at)
    return times, own - ahead


def _watched(times: Times, stamp: int, arrival: Arrival, manner: Manner) -> Times:
    """With how the frame came taken note of."""
    if arrival.held:
        return replace(times, measured=False, recent=(), even=None)
    kept = [one for one in times.recent if arrival.at - one[0] <= WINDOW]
    recent = (*kept, (arrival.at, stamp))[-WINDOW_FRAMES:]
    ahead = stamp - round(arrival.at * TICKS)
    since, least, most = times.even or (arrival.at, ahead, ahead)
    least, most = min(least, ahead), max(most, ahead)
    even = (since, least, most) if most - least <= _ticks(STEADY) else (arrival.at, ahead, ahead)
    return replace(times, recent=recent, even=even, measured=_is_measured(recent, times.measured, manner))


def _is_measured(recent: tuple[tuple[float, int], ...], before: bool, manner: Manner) -> bool:
    """Whether own times are not to be believed."""
    span = recent[-1][0] - recent[0][0]
    if span < WINDOW_LEAST or len(recent) < 4:
        return before
    rate = (recent[-1][1] - recent[0][1]) / TICKS / span
    if abs(rate - 1) <= ALIKE:
        return False
    if manner.nominal:
        return rate < STORED
    if manner.sounding:
        return False
    longest = max(after[0] - one[0] for one, after in pairwise(recent))
    regular = longest <= max(REGULAR, 3 * span / (len(recent) - 1))
    return regular and (rate < 1 or not manner.patient)


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS)
