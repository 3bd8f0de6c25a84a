"""What arrived at the far end, and its evaluation: latency, losses, order, audio lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien_bench.latency.chirps import EVERY, Listener
from mien_bench.latency.timecode import NUMBER_BITS, Code

_NUMBERS = 1 << NUMBER_BITS
_IN_STEP = 0.4
"""Seconds by which a burst and its frame may be apart and still be taken for each other's."""


@dataclass(slots=True)
class Trace:
    """Everything at the far end, in the order in which it came."""

    at: list[float] = field(default_factory=list)
    """When each picture was there, in seconds of the clock that stamped it."""
    codes: list[Code | None] = field(default_factory=list)
    """What its strip says."""
    shown: list[float] = field(default_factory=list)
    """When it is to be shown, in seconds on a time line that it shares with the sound."""
    listener: Listener = field(default_factory=Listener)
    """To the sound, on that time line."""
    reading: list[float] = field(default_factory=list)
    """Seconds that it took to read each strip."""

    def see(self, at: float, code: Code | None, shown: float, reading: float = 0.0) -> None:
        self.at.append(at)
        self.codes.append(code)
        self.shown.append(shown)
        self.reading.append(reading)

    def hear(self, samples: NDArray[np.float32], first: float) -> None:
        """(n,) samples at 48 kHz, with the time of the first on the time line of `shown`."""
        self.listener.hear(samples, first)

    def bursts(self) -> tuple[float, ...]:
        """When bursts began, in seconds of `shown`."""
        return self.listener.bursts()

    def observed(self) -> Observed:
        """All but the samples, in whose place the bursts stand."""
        codes = tuple(None if code is None else (code.number, code.time) for code in self.codes)
        return Observed(tuple(self.at), codes, tuple(self.shown), self.bursts(), tuple(self.reading))


@dataclass(frozen=True, slots=True)
class Observed:
    """A trace that is over; also as another process writes it down."""

    at: tuple[float, ...]
    codes: tuple[tuple[int, int] | None, ...]
    """Number and time, as in `Code`."""
    shown: tuple[float, ...] = ()
    """Empty where pictures and sound share no time line."""
    bursts: tuple[float, ...] = ()
    reading: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(form: Mapping[str, Any]) -> Observed:
        """From what `as_json` gave; what is not a trace raises KeyError or TypeError."""
        codes = tuple(None if code is None else (int(code[0]), int(code[1])) for code in form["codes"])
        rest = {name: tuple(map(float, form.get(name, ()))) for name in ("at", "shown", "bursts", "reading")}
        return Observed(codes=codes, **rest)


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """Evaluation of a path. Times in milliseconds."""

    pictures: int
    """At the far end, from the first readable one on."""
    unread: int
    """Of them without a readable code."""
    latency: tuple[float, ...]
    """Milliseconds from capture to display of each frame that was seen, at its first display."""
    numbers: tuple[int, ...]
    """Of these frames."""
    at: tuple[float, ...]
    """Seconds from the first display to each of them."""
    dropped: tuple[int, ...]
    """Numbers of frames that were never seen, between the first and the last that were."""
    duplicates: int
    """Pictures that showed a frame again."""
    reordered: int
    """Pictures that showed an older frame than one before, for the first time."""
    offset: tuple[float, ...]
    """By how much the sound comes later than the picture it belongs to, at each burst."""

    @property
    def read_share(self) -> float:
        return 1 - self.unread / self.pictures if self.pictures else 0.0

    @property
    def jitter(self) -> float:
        """Mean change of the latency from one frame to the next."""
        return float(np.abs(np.diff(self.latency)).mean()) if len(self.latency) > 1 else 0.0

    def percentile(self, rank: float) -> float:
        """Of the latency; `rank` from 0 to 100; NaN where nothing was seen."""
        return float(np.percentile(self.latency, rank)) if self.latency else float("nan")


def evaluate(observed: Observed, *, leave_out: float = 0.0, sent: int | None = None) -> TraceSummary:
    """Evaluate what was observed.

    Args:
        leave_out: seconds after the first readable picture that are not judged: connecting and warming up. At most a
            quarter of the time in which something was seen.
        sent: how many frames there were, where all of them must arrive; None: those before the first and after the last
            that was seen are not missed.
    """
    at, codes = observed.at, observed.codes
    begin = _readable(codes, 0)
    if begin < len(codes) and leave_out:
        settled = at[begin] + min(leave_out, (at[-1] - at[begin]) / 4)
        later = (i for i in range(begin, len(at)) if at[i] >= settled)
        begin = _readable(codes, next(later, len(codes)))
    observations = _FrameOrder(-1 if sent is not None else None)
    for place in range(begin, len(codes)):
        code = codes[place]
        observations.add(
            at[place], None if code is None else Code(*code), observed.shown[place] if observed.shown else None
        )
    if sent is not None:
        observations.end(sent)
    return TraceSummary(
        pictures=len(codes) - begin,
        unread=observations.unread,
        latency=tuple(observations.latency),
        numbers=tuple(observations.numbers),
        at=tuple(moment - observations.at[0] for moment in observations.at),
        dropped=tuple(observations.dropped()),
        duplicates=observations.duplicates,
        reordered=observations.reordered,
        offset=tuple(_offsets(observations.marked, observed.bursts)),
    )


def _readable(codes: Sequence[object], begin: int) -> int:
    return next((i for i in range(begin, len(codes)) if codes[i] is not None), len(codes))


class _FrameOrder:
    """Order of the frames seen: latencies, drops, duplicates. Frame numbers are unwrapped modulo 2^18."""

    def __init__(self, newest: int | None) -> None:
        """`newest`: the number before the first that must come; None: whichever comes is the first."""
        self.unread = self.duplicates = self.reordered = 0
        self.latency: list[float] = []
        self.numbers: list[int] = []
        self.at: list[float] = []
        self.marked: list[float] = []
        self._seen: set[int] = set()
        self._newest = newest
        self._blank = 0
        """Unread pictures since the newest frame."""
        self._lost: dict[int, int] = {}
        """First numbers of gaps, and how many frames each lacks."""

    def add(self, at: float, code: Code | None, shown: float | None) -> None:
        if code is None:
            self.unread += 1
            self._blank += 1
            return
        number = self._counted_on(code.number)
        if number in self._seen:
            self.duplicates += 1
            return
        self._seen.add(number)
        self.numbers.append(number)
        self.latency.append(code.age(at) * 1e3)
        self.at.append(at)
        if shown is not None and code.number % EVERY == 0:
            self.marked.append(shown)
        self._place(number)

    def end(self, sent: int) -> None:
        """Miss what did not come of so many."""
        self._place(sent)

    def dropped(self) -> list[int]:
        """A frame that may be the unread picture between two others is not counted."""
        return [n for first, count in self._lost.items() for n in range(first, first + count) if n not in self._seen]

    def _place(self, number: int) -> None:
        if self._newest is not None and number < self._newest:
            self.reordered += 1
            return
        if self._newest is not None:
            missing = number - self._newest - 1 - self._blank
            if missing > 0:
                self._lost[self._newest + 1] = missing
        self._newest, self._blank = number, 0

    def _counted_on(self, number: int) -> int:
        if self._newest is None:
            return number
        half = _NUMBERS // 2
        return self._newest + (number - self._newest + half) % _NUMBERS - half


def _offsets(marked: Sequence[float], bursts: Sequence[float]) -> list[float]:
    """Milliseconds from each marked picture to its burst, where there is one."""
    if not len(bursts):
        return []
    onsets = np.asarray(bursts)
    nearest = [float(onsets[np.argmin(np.abs(onsets - moment))] - moment) for moment in marked]
    return [1e3 * apart for apart in nearest if abs(apart) <= _IN_STEP]
