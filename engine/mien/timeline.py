"""Time stamps of pictures and sound: every rule by which they are repaired.

All are pure functions (state, stamp, now) -> state. There are three, since three things are known in three places:

    follow        a container's stamps, no clock: one line without jumps, shared by pictures and sound, offline too;
                  `beside` settles for sound what it saw first
    play_out      a live stream's stamps and when each frame came: when it is to be shown
    keep_beside   any source's times and the capture clock, behind the other two: no time is far from the clock

`follow` cannot ask a clock, since a file is read as fast as it comes. `play_out` may wait for what comes early, and
looks at how evenly frames come. `keep_beside` may not: its frames are there, and it moves only times that left the
clock. `in_order` is what they, the emitter and encoders share. Whatever comes behind `keep_beside` may rely on times
that move forward, as fast as the world does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from statistics import median

TICKS = 90_000
TIME_BASE = Fraction(1, TICKS)
"""Time base of every live source: a new connection may use another one in its container."""
JUMP = 1
"""Difference in seconds between a time stamp and the expected one above which its clock has jumped, in every rule:
queues of drivers and networks, drifting clocks and faulty time stamps stay below."""
BACK = 3
"""Largest number of frames that a stamp may lie before the latest one without a clock jump: reordered frames whose
times the container lacks, and jitter, stay below."""
BACK_LEAST = Fraction(1, 10)
"""The same in seconds, at least: containers give some frames a duration of nearly nothing."""
GAP = Fraction(60)
"""Length in seconds of an empty stretch of a file above which it is a clock jump: recordings have pauses."""
LATE = 0.1
"""Largest lateness in seconds before a frame's time is shifted."""
EARLY = 0.5
"""Largest earliness in seconds before a frame's time is shifted, for senders that cannot be made to wait."""
HOLD = 0.1
"""Seconds before its time at which a frame is delivered, for senders that can be made to wait."""
START = 0.3
"""Initial buffering in seconds for such a sender, also after each stall."""
STEADY = 0.15
"""Variation in earliness, in seconds, that still counts as even arrival."""
PATIENCE, PATIENCE_MOST = 1.0, 60.0
"""Seconds of even but early arrival after which the surplus delay is removed; doubles each time."""
WINDOW, WINDOW_LEAST, WINDOW_FRAMES = 2.0, 0.5, 64
"""Window in seconds and frames for measuring the rate of arrival."""
FEW = 4
"""Frames by which it is measured at least."""
ALIKE = 0.1
"""Relative difference between the rate of time stamps and the rate of arrival that is tolerated."""
STORED = 3.0
"""Rate of arrival, relative to the assumed rate, above which a stream counts as a recording."""
REGULAR = 0.25
"""Seconds; a longer wait between two frames says nothing of their rate, unless they are as rare as that."""
RATE_FRAMES = 15
"""Number of frames over which the present rate is measured."""
RATE_LONGEST = 1.0
"""Seconds; a longer step is a gap and is ignored."""


def in_order(last: int | None, placed: int) -> int:
    """`placed`, in ticks, or right after `last` where it would not be later."""
    return placed if last is None else max(placed, last + 1)


def by_clock(anchor: tuple[int, float], now: float, time_base: Fraction) -> int:
    """The time in ticks at `now` seconds of the clock, of which `anchor` names one time and when it was."""
    return anchor[0] + round((now - anchor[1]) / time_base)


def jumped(own: int, expected: int, time_base: Fraction) -> bool:
    """Whether a time in ticks is so far from what is expected that its clock was set anew."""
    return abs(own - expected) * time_base > JUMP


# A container's stamps


@dataclass(frozen=True, slots=True)
class Step:
    """A clock that was set anew, as seen by one stream of a container."""

    before: Fraction
    """The offset until then."""
    hint: Fraction
    """The other stream's offset then."""
    at: Fraction
    """Where the first frame or run after it stands."""
    jump: Fraction
    """Seconds by which the clock jumped."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was seen of one stream so far, in seconds."""

    offset: Fraction = Fraction(0)
    """Added to the container's times."""
    last: Fraction | None = None
    """The latest place."""
    step: Fraction = Fraction(0)
    """How long what stands there lasts."""
    led: Step | None = None
    """The latest step that was seen in this stream first."""


def follow(
    line: Line,
    stamp: Fraction | None,
    step: Fraction,
    until: Fraction | None,
    hint: Fraction,
    gap: Fraction = GAP,
    overlap: Fraction | None = None,
) -> tuple[Line, Fraction, Fraction]:
    """What comes next on a line: the line after it, its time, and by how much the container's clock jumped there.

    A clock that was set back by no more than pieces of a second, as where short recordings were put together, is told
    from stamps that waver by `BACK`. A single stamp that is wrong moves only itself: the next one is where it would be.

    Args:
        stamp: the container's time; None where it has none, which is right after what came before.
        step: how long it lasts.
        until: how far time is known to have passed, by the other stream or by a clock.
        hint: the offset at which the container's other stream is.
        gap: seconds beyond all that is known at which a clock has jumped.
        overlap: seconds before its turn at which it may be put to have the other stream's offset; None: half of what
            the one before lasts, since pictures are not to be squeezed.
    """
    last = line.last
    if last is None:
        time = stamp + line.offset if stamp is not None else Fraction(0)
        return replace(line, last=time, step=step), time, Fraction(0)
    due = last + line.step
    if stamp is None:
        return replace(line, last=due, step=step), due, Fraction(0)
    line = _unstrayed(line, stamp, due)
    time, jump = stamp + line.offset, Fraction(0)
    known = due if until is None else max(due, until)
    if not last - _wavers(line.step) <= time <= known + gap:
        shared = stamp + hint
        least = due - (line.step / 2 if overlap is None else overlap)
        if hint != line.offset and least <= shared <= known + JUMP:
            last = time = shared  # what comes next follows this, not what it overlaps
            line = replace(line, offset=hint, led=None)
        else:
            jump = time - due
            line = replace(line, offset=due - stamp, led=Step(line.offset, hint, due, jump))
            time = due
    return replace(line, last=max(time, last), step=step), time, jump


def beside(line: Line, hint: Fraction, until: Fraction | None) -> Line:
    """The line of sound, once pictures have shown what a step was that it led.

    Where they stepped, too, it goes on at their offset. Where they went on without one, a small step was sound that
    overlaps, which is cut.

    Args:
        hint: the pictures' offset.
        until: how far they are, in seconds.
    """
    led = line.led
    if led is None or line.last is None:
        return line
    if hint != led.hint:
        offset = hint
    elif -JUMP <= led.jump < 0 and until is not None and until > led.at + JUMP:
        offset = led.before
    else:
        return line
    return replace(line, offset=offset, last=line.last + offset - line.offset, led=None)


def _unstrayed(line: Line, stamp: Fraction, due: Fraction) -> Line:
    """The line without the step that it led with its latest stamp, where that one alone was wrong."""
    led = line.led
    if led is None or led.at != line.last:
        return line
    near = _wavers(line.step)
    goes_on, returns = abs(stamp + line.offset - due) <= near, abs(stamp + led.before - due) <= near
    return line if goes_on or not returns else replace(line, offset=led.before, led=None)


def _wavers(step: Fraction) -> Fraction:
    """Seconds by which stamps of frames that last so long may be off."""
    return min(max(BACK * step, BACK_LEAST), Fraction(JUMP))


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
        """Present shift of the container's time stamps, in seconds."""
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
        self._last = in_order(self._last, round(time / self._time_base))
        return self._last


# A live stream's stamps, and when its frames came


@dataclass(frozen=True, slots=True)
class Manner:
    """How a source delivers frames."""

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
    """Arrival time of a frame."""

    at: float
    """Seconds of the clock."""
    held: bool = False
    """Whether it would have come sooner, had there been room for it: then `at` is when it was wanted."""


@dataclass(frozen=True, slots=True)
class Times:
    """What was seen of a live stream so far."""

    began: float | None = None
    """When the line's 0 is on the clock; None until the first frame is shown."""
    came: float | None = None
    """When the first frame came, in seconds of the clock."""
    anchor: int | None = None
    """The stream's time in ticks that is 0 on this line; None until the first frame of a connection."""
    last: int = -1
    """The latest place in ticks."""
    step: int = 1
    measured: bool = False
    """Whether arrival times are used instead of time stamps."""
    recent: tuple[tuple[float, int], ...] = ()
    """Arrival times of the latest frames in seconds, and their time stamps in ticks."""
    even: tuple[float, int, int] | None = None
    """Since when frames come evenly, and the least and the most that their own times were ahead of the clock."""
    patience: float = PATIENCE
    gave_back: float | None = None
    """When time was last left out."""


def begun(times: Times, now: float, manner: Manner) -> Times:
    """The line after its first frame was taken, at `now`, to be shown; nobody shows what is unhurried."""
    if manner.unhurried and times.came is not None:
        return replace(times, began=times.came)
    return replace(times, began=now + (START if manner.patient else 0.0))


def reconnected(times: Times) -> Times:
    """Reset for a new connection."""
    return replace(times, anchor=None, measured=False, recent=(), even=None)


def play_out(times: Times, stamp: int, arrival: Arrival, manner: Manner) -> Times:
    """The times after a frame of the stream's time `stamp` in ticks; its place is `last`, later than the one before."""
    began = times.began if times.began is not None else arrival.at
    passed = round((arrival.at - began) * TICKS)
    if times.anchor is None:
        times, at = _anchored(times, stamp, passed, arrival.at, manner)
    else:
        times = _watched(times, stamp, arrival, manner)
        times, at = _placed(times, stamp, passed, arrival, manner)
    put = in_order(times.last, at)
    return replace(times, step=put - times.last, last=put)


def early(times: Times, place: int, now: float, manner: Manner) -> float:
    """Seconds to wait at `now` until a frame is shown whose place in ticks is `place`."""
    if not manner.patient or manner.unhurried or times.began is None:
        return 0.0
    return max(times.began + place / TICKS - HOLD - now, 0.0)


def late_by(times: Times, now: float) -> float:
    """Seconds since the latest frame was due; below 0: until then."""
    return 0.0 if times.began is None else now - times.began - times.last / TICKS


def _anchored(times: Times, stamp: int, passed: int, came: float, manner: Manner) -> tuple[Times, int]:
    if times.last < 0:
        return replace(times, anchor=stamp, came=came), 0
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
    """The state with this arrival recorded."""
    if arrival.held:
        return replace(times, measured=False, recent=(), even=None)
    fewest = -(FEW - 1) if manner.nominal else 0  # of those of one picture a second, too
    kept = [
        one for n, one in enumerate(times.recent, -len(times.recent)) if arrival.at - one[0] <= WINDOW or n >= fewest
    ]
    recent = (*kept, (arrival.at, stamp))[-WINDOW_FRAMES:]
    ahead = stamp - round(arrival.at * TICKS)
    since, least, most = times.even or (arrival.at, ahead, ahead)
    least, most = min(least, ahead), max(most, ahead)
    even = (since, least, most) if most - least <= _ticks(STEADY) else (arrival.at, ahead, ahead)
    return replace(times, recent=recent, even=even, measured=_is_measured(recent, times.measured, manner))


def _is_measured(recent: tuple[tuple[float, int], ...], before: bool, manner: Manner) -> bool:
    """Whether time stamps are unreliable."""
    span = recent[-1][0] - recent[0][0]
    if span < WINDOW_LEAST or len(recent) < FEW:
        return before
    rate = (recent[-1][1] - recent[0][1]) / TICKS / span
    if abs(rate - 1) <= ALIKE:
        return False
    if manner.nominal:
        return rate < STORED
    if manner.sounding or (manner.unhurried and manner.patient):
        return False
    longest = max(after[0] - one[0] for one, after in pairwise(recent))
    regular = longest <= max(REGULAR, 3 * span / (len(recent) - 1))
    return regular and (rate < 1 or not manner.patient)


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS)


# Any source's times, and the clock


@dataclass(frozen=True, slots=True)
class ClockTimes:
    """State of the repair."""

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
        return median(self.steps) if len(self.steps) >= RATE_FRAMES // 3 else nominal


def keep_beside(times: ClockTimes, pts: int, time_base: Fraction, captured_at: float) -> ClockTimes:
    """The times after a frame of `pts` ticks that was captured at `captured_at` seconds; its own is then `last`."""
    if times.last is None or times.anchor is None:
        return replace(times, last=pts, anchor=(pts, captured_at))
    placed, last = pts + times.offset, times.last
    expected = by_clock(times.anchor, captured_at, time_base)
    if jumped(placed, expected, time_base) or placed <= last - round(JUMP / time_base):
        # not from the place it gets, which may be ahead of the clock: each jump would add to that
        times = replace(times, offset=expected - pts, jumps=times.jumps + 1)
        placed = expected
    placed = in_order(last, placed)
    return replace(times, last=placed, steps=_with(times.steps, float((placed - last) * time_base)))


def _with(steps: Sequence[float], step: float) -> tuple[float, ...]:
    return (*steps, step)[-RATE_FRAMES:] if step < RATE_LONGEST else tuple(steps)
