"""What a live run counts beside what every run does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

BOUND = 0.04
"""Seconds by which lips and sound may be apart."""


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
        self.levels[name] = self.levels.get(name, 0) + 1

    def shares(self) -> dict[str, float]:
        """Share of emitted frames by level."""
        total = max(sum(self.levels.values()), 1)
        return {name: count / total for name, count in list(self.levels.items())}

    def as_json(self) -> dict[str, Any]:
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
