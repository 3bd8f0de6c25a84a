"""Schedules frames and sound of a live source: each is delivered when it is due."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from mien.clock import Clock
from mien.frame import Frame
from mien.sound.sound import Sound
from mien.timeline import TICKS, TIME_BASE, Arrival, Manner, Times, begun, early, late_by, play_out, reconnected

AHEAD = 0.25
"""Seconds by which sound may come before its time; who takes it has no room for that of a long still picture."""
BEHIND = 0.5
"""Lateness in seconds after which a frame that arrived in time is skipped."""
UNHEARD = 500
"""Capacity for waiting runs of sound, about ten seconds."""


class Playing:
    """Schedule of a live source over all its connections; used by the reading thread.

    Where the sender can be held up, frames wait for their time, and sound until it has been heard in full; of frames
    that this machine is too late for some are left out. Everything else is given at once.
    """

    def __init__(self, clock: Clock, wait: Callable[[float], bool], manner: Manner) -> None:
        """`wait`: waits a number of seconds and returns whether to stop."""
        self._clock = clock
        self._wait = wait
        self._manner = manner
        self._times = Times()
        self._unheard: deque[Sound] = deque()
        self._skips = self._bearable = 0
        """Frames skipped since the last one in time, and after how many skipping is given up."""
        self._given_up = False
        self.missed = 0
        """Frames skipped because this machine was too slow."""

    @property
    def anchor(self) -> Fraction | None:
        """The stream's time in seconds that is 0 on the line; None until the first frame of a connection."""
        return None if self._times.anchor is None else self._times.anchor * TIME_BASE

    def reconnected(self, manner: Manner) -> None:
        """Reset for a new connection."""
        self._manner = manner
        self._times = reconnected(self._times)

    def place(self, stamp: Fraction, arrival: Arrival, now: float, rate: Fraction) -> int | None:
        """The place in ticks of a frame of the stream's time `stamp`, decoded `now`; None where it is left out."""
        if self._given_up:  # the time that it took is lost
            arrival = Arrival(now, held=True)
        self._times = play_out(self._times, round(stamp * TICKS), arrival, self._manner)
        return None if self._is_missed(now, rate) else self._times.last

    def in_time(self, frame: Frame) -> Frame | None:
        """The frame when it is to be shown; None where it is closed meanwhile."""
        if self._times.began is None:
            self._times = begun(self._times, self._clock.now(), self._manner)
        elif not self._manner.patient:
            return frame
        wait = early(self._times, frame.pts, self._clock.now(), self._manner)
        if wait > 0 and self._wait(wait):
            return None
        return replace(frame, captured_at=self._clock.now())

    def later(self, sound: Sound) -> Iterator[Sound]:
        """Keep sound until it is heard; of too much without a picture between, the oldest is given in its time."""
        self._unheard.append(sound)
        if len(self._unheard) > UNHEARD:
            oldest = self._unheard.popleft()
            self._wait(early(self._times, round(_end(oldest) * TICKS), self._clock.now(), self._manner))
            yield oldest

    def heard(self, until: int | None) -> Iterator[Sound]:
        """Sound that ends by a time in ticks, when that has come; None: all there is."""
        while self._unheard and (until is None or _end(self._unheard[0]) * TICKS <= until):
            due = early(self._times, round(_end(self._unheard[0]) * TICKS), self._clock.now(), self._manner)
            if due > AHEAD and self._wait(due - AHEAD):
                return
            yield self._unheard.popleft()

    def heard_by_now(self) -> Iterator[Sound]:
        """Sound that has been heard in full; all, where it does not wait for its time."""
        waits = self._manner.patient and not self._manner.unhurried and self._times.began is not None
        return self.heard(round((self._clock.now() - (self._times.began or 0.0)) * TICKS) if waits else None)

    def _is_missed(self, now: float, rate: Fraction) -> bool:
        """Whether the frame just placed is left out, since it would be shown late by what this machine took too long.

        Where leaving frames out does not catch up, it is given up for one of them, whose time is moved to now.
        """
        late = late_by(self._times, now) if self._manner.patient and not self._manner.unhurried else 0.0
        if late <= BEHIND:
            self._skips, self._given_up = 0, False
            return False
        self._bearable = math.ceil(late * rate) if self._skips == 0 else self._bearable
        self._given_up = self._skips >= self._bearable
        self._skips = 0 if self._given_up else self._skips + 1
        self.missed += 1
        return True


def _end(sound: Sound) -> Fraction:
    return sound.pts * sound.time_base + Fraction(sound.samples.shape[1], sound.format.rate)
