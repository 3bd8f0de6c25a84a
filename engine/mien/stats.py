"""Statistics of a run: counters and latency percentiles, used by command line, web page, logs and benches."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from mien.clock import Clock
from mien.shots import ShotLog

BOUND = 0.04
"""Seconds by which lips and sound may be apart."""
_SHORTEST = 1e-6
_LONGEST = 100.0
_STEP = math.log(1.02)
_RECENT = 16
_BUCKETS = math.ceil(math.log(_LONGEST / _SHORTEST) / _STEP)


@dataclass(slots=True)
class SoundOffset:
    """How far the sound was ahead of the picture or behind it, in seconds; positive: the sound came later."""

    count: int = 0
    total: float = 0.0
    total_magnitude: float = 0.0
    worst: float = 0.0
    within: int = 0
    """Pictures for which it was at most `BOUND`."""

    def record(self, seconds: float) -> None:
        """Count one, in seconds."""
        self.count += 1
        self.total += seconds
        self.total_magnitude += abs(seconds)
        self.worst = max(self.worst, abs(seconds))
        self.within += abs(seconds) <= BOUND

    def as_json(self) -> dict[str, float]:
        """Milliseconds, and the share of pictures within the bound."""
        count = max(self.count, 1)
        return {
            "count": self.count,
            "mean_ms": round(self.total / count * 1e3, 2),
            "mean_magnitude_ms": round(self.total_magnitude / count * 1e3, 2),
            "worst_ms": round(self.worst * 1e3, 2),
            "within_40_ms": round(self.within / count, 4),
        }


@dataclass(slots=True)
class LiveCounters:
    """Each has one writing thread; any may read."""

    received: dict[str, int] = field(default_factory=dict)
    """Frames that were put into each slot, by who takes them."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Frames that a newer one replaced, by the slot in which it did."""
    thinned: int = 0
    """Frames that were left out since fewer per second are wanted."""
    missed: int = 0
    """Frames that the source left out, since nobody took them in time."""
    sink_dropped: int = 0
    """Frames that the sink left out, such as over a network that is too slow."""
    levels: dict[str, int] = field(default_factory=dict)
    """Emitted frames by the level at which they were made."""
    level: str = "full"
    """At present."""
    held: int = 0
    """Emitted frames that repeat the picture before, since the source gave none."""
    slates: int = 0
    """Emitted frames that show the slate."""
    jumps: int = 0
    """Times at which the source's clock jumped."""
    interval: float = 0.0
    """Seconds from one frame of the source to the next, at present."""
    swaps: int = 0
    """Portraits that were swapped in."""
    recording_dropped: int = 0
    """Frames and runs of sound that a recording beside had no time for."""
    sound_dropped: int = 0
    """Runs of sound that nobody fetched in time."""
    sound: SoundOffset = field(default_factory=SoundOffset)
    seen_at: float = -math.inf
    """When the source gave its latest frame, in seconds of the clock."""
    stalled: bool = False
    """Whether the source gives nothing at present."""
    cause: str | None = None
    """Why the level sank; None at the best level."""
    brightness: float | None = None
    """Mean of the latest frame without a face, 0..255; None while there is one."""

    def count_level(self, name: str) -> None:
        """Count an emitted frame of this level."""
        self.levels[name] = self.levels.get(name, 0) + 1

    def shares(self) -> dict[str, float]:
        """Share of emitted frames by level."""
        total = max(sum(self.levels.values()), 1)
        return {name: count / total for name, count in list(self.levels.items())}

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "received": dict(self.received),
            "dropped": dict(self.dropped),
            "thinned": self.thinned,
            "missed": self.missed,
            "sink_dropped": self.sink_dropped,
            "level": self.level,
            "cause": self.cause,
            "levels": {name: round(share, 4) for name, share in self.shares().items()},
            "held": self.held,
            "slates": self.slates,
            "clock_jumps": self.jumps,
            "swaps": self.swaps,
            "recording_dropped": self.recording_dropped,
            "sound_dropped": self.sound_dropped,
            "sound_offset": self.sound.as_json(),
        }


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """A distribution of durations, in milliseconds."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    max: float

    def as_json(self) -> dict[str, float]:
        """As plain JSON values."""
        return {
            "count": self.count,
            "mean_ms": round(self.mean, 4),
            "p50_ms": round(self.p50, 4),
            "p95_ms": round(self.p95, 4),
            "p99_ms": round(self.p99, 4),
            "max_ms": round(self.max, 4),
        }


class Latency:
    """Percentiles of durations in constant memory: counts in buckets that widen by 2 % each, 1 µs to 100 s.

    A percentile is within 1 % of the value at that rank inside this range; count, mean and maximum are exact. One
    thread records; any may read.
    """

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._count = 0
        self._sum = 0.0
        self._min = math.inf
        self._max = 0.0
        self._recent = 0.0

    def record(self, seconds: float) -> None:
        """Count one duration.

        Raises:
            ValueError: `seconds` is negative or not finite.
        """
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(f"a duration must be finite and not negative, got {seconds = }")
        place = math.floor(math.log(max(seconds, _SHORTEST) / _SHORTEST) / _STEP)
        self._counts[min(place, _BUCKETS - 1)] += 1
        self._count += 1
        self._sum += seconds
        self._min = min(self._min, seconds)
        self._max = max(self._max, seconds)
        self._recent += (seconds - self._recent) / min(self._count, _RECENT)

    def percentile(self, rank: float) -> float:
        """The duration in seconds that the share `rank` (0..1) of all does not exceed; 0 when none was recorded.

        Raises:
            ValueError: `rank` is outside of 0..1.
        """
        if not 0.0 <= rank <= 1.0:
            raise ValueError(f"rank must be from 0 to 1, got {rank}")
        if self._count == 0:
            return 0.0
        wanted = max(1, math.ceil(rank * self._count))
        seen = 0
        for place, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                middle = _SHORTEST * math.exp((place + 0.5) * _STEP)
                return min(max(middle, self._min), self._max)
        return self._max

    @property
    def count(self) -> int:
        """How many were recorded."""
        return self._count

    @property
    def total(self) -> float:
        """Sum of all durations in seconds."""
        return self._sum

    @property
    def recent(self) -> float:
        """Running mean in seconds, in which the last 16 durations count for most."""
        return self._recent

    def summary(self) -> LatencySummary:
        """Count, mean, maximum and percentiles so far."""
        mean = self._sum / self._count if self._count else 0.0
        p50, p95, p99 = (self.percentile(rank) * 1e3 for rank in (0.50, 0.95, 0.99))
        return LatencySummary(self._count, mean * 1e3, p50, p95, p99, self._max * 1e3)


class Statistics:
    """Counters and stage latencies of one run. Each counter and each stage has one writing thread; any may read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.now()
        self._ended: float | None = None
        self._stages: dict[str, Latency] = {}
        self.frames_in = 0
        """Frames that the source gave."""
        self.frames_out = 0
        """Frames that the sink took."""
        self.frames_dropped = 0
        """Frames that a newer one replaced on the way."""
        self.frames_broken = 0
        """Frames that did not decode and were skipped."""
        self.frames_without_face = 0
        """Frames in which no face was found."""
        self.warnings: tuple[str, ...] = ()
        self.shots = ShotLog()
        """The driver's shots."""

    def stage(self, name: str) -> Latency:
        """The latency of stage `name`, begun empty; stages are listed in the order of their first mention."""
        found = self._stages.get(name)
        return self._stages.setdefault(name, Latency()) if found is None else found

    def stage_names(self) -> tuple[str, ...]:
        """In the order of their first mention."""
        return tuple(self._stages)

    def announce(self, *names: str) -> None:
        """Begin the stages `names`, so that they are listed in this order whichever thread records first."""
        for name in names:
            self.stage(name)

    def warned(self, lines: Iterable[str]) -> Self:
        """With lines that a user is told at the end."""
        self.warnings += tuple(lines)
        return self

    def end(self) -> None:
        """Stop the run's time; ending twice keeps the first."""
        if self._ended is None:
            self._ended = self._clock.now()

    @property
    def seconds(self) -> float:
        """Time from the beginning to the end, or to now."""
        return (self._clock.now() if self._ended is None else self._ended) - self._started

    @property
    def fps(self) -> float:
        """Frames out per second of the run so far."""
        return self.frames_out / self.seconds if self.seconds > 0 else 0.0

    def latencies(self) -> dict[str, LatencySummary]:
        """By stage."""
        return {name: latency.summary() for name, latency in list(self._stages.items())}

    def as_json(self) -> dict[str, Any]:
        """Everything as plain JSON values; durations in milliseconds, `seconds` in seconds."""
        return {
            "frames": {
                "in": self.frames_in,
                "out": self.frames_out,
                "dropped": self.frames_dropped,
                "broken": self.frames_broken,
                "without_face": self.frames_without_face,
            },
            "seconds": round(self.seconds, 4),
            "fps": round(self.fps, 3),
            "stages": {name: summary.as_json() for name, summary in self.latencies().items()},
            "shots": [shot.as_json() for shot in self.shots.all],
            "warnings": list(self.warnings),
        }


class LiveStatistics(Statistics):
    """Those of a live run, which counts more."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.live = LiveCounters()

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**super().as_json(), "live": self.live.as_json()}


class Laps(Protocol):
    """Who is told when the stages of one thread's work on a frame are over, as a stopwatch is."""

    def begin(self) -> None:
        """A frame's work begins."""
        ...

    def lap(self, stage: str) -> None:
        """`stage` is over, which began when the one before it was over."""
        ...


class Stopwatch:
    """Records the laps of one thread as latencies of the stages."""

    def __init__(self, statistics: Statistics, clock: Clock) -> None:
        self._statistics = statistics
        self._clock = clock
        self._at = 0.0

    def begin(self) -> None:
        """A frame begins."""
        self._at = self._clock.now()

    def lap(self, stage: str) -> None:
        """Record what has passed since the lap before."""
        now = self._clock.now()
        self._statistics.stage(stage).record(now - self._at)
        self._at = now


class _Untimed:
    def begin(self) -> None:
        pass

    def lap(self, stage: str) -> None:
        pass


UNTIMED: Final[Laps] = _Untimed()
"""Laps that nobody is told of."""
