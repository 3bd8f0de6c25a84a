"""What is to be measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from mien.capture.source import Source
from mien.capture.synthetic import array_source
from mien.clock import Clock
from mien.config import ReenactSettings
from mien_bench.latency.faults import Delayed, Losing
from mien_bench.latency.stamped import Stamped
from mien_bench.live.camera import RATE, Pixels, camera
from mien_bench.results import Fact

IDLE = "none"
"""The engine that is none: the driver's picture is passed through."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A run of coded frames, and what moves by them."""

    pictures: list[Pixels]
    """That a camera shows, of one size, uint8 (H, W, 3)."""
    frames: int
    portrait: Path
    settings: ReenactSettings = field(default_factory=ReenactSettings)
    idle: bool = False
    """Whether nothing is synthesised: the path alone is measured."""
    sound: bool = True
    delay: float = 0.0
    """Seconds of a delay line behind the camera."""
    losing: int | None = None
    """Every so many-th frame is lost behind the camera."""
    server: str | None = None
    """Address of a server that runs in measuring mode; None: one is started where a path needs it."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the driver."""
        height, width, _ = self.pictures[0].shape
        return width, height

    def source(self, clock: Clock) -> tuple[Stamped, Source]:
        """What stamps frames, and what gives them, with all faults behind."""
        stamped = Stamped(camera(self.pictures, clock), clock, count=self.frames, sound=self.sound)
        return stamped, self.faulty(stamped, clock)

    def unpaced(self, clock: Clock) -> tuple[Stamped, Source]:
        """As `source`, each frame as soon as it is wanted."""
        laps = islice(cycle(self.pictures), self.frames)
        stamped = Stamped(array_source(list(laps), rate=RATE), clock, sound=self.sound)
        return stamped, self.faulty(stamped, clock)

    def faulty(self, source: Source, clock: Clock) -> Source:
        """A source with the faults that are to be planted behind it."""
        if self.losing is not None:
            source = Losing(source, self.losing)
        return Delayed(source, self.delay, clock) if self.delay else source

    def condition(self) -> dict[str, Fact]:
        """For rows: only what was decided beforehand."""
        width, height = self.size
        about: dict[str, Fact] = {"driver": f"{width}x{height}", "model": IDLE if self.idle else self.settings.model}
        if not self.idle:
            about |= {"size": self.settings.size or 0, "backend": self.settings.backend}
        if self.settings.threads is not None:
            about["threads"] = self.settings.threads
        if self.delay:
            about["planted delay ms"] = round(self.delay * 1e3, 3)
        if self.losing is not None:
            about["planted loss"] = f"1 of {self.losing}"
        return about


