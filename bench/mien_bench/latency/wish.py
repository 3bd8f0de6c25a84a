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
from mien_bench.latency.server import Server
from mien_bench.latency.stamped import Stamped
from mien_bench.live.camera import RATE, Pixels, camera
from mien_bench.results import Fact

PATIENCE = 60.0
"""Seconds that a far end is given to see something."""
IDLE = "none"
"""The engine that is none: the driver's picture is passed through."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """What gives coded frames."""

    stamped: Stamped
    source: Source
    """To read from; closing it closes all."""
    line: Delayed | None

    @property
    def held(self) -> tuple[float, ...]:
        """Seconds that each frame was delayed in truth; empty where there is no delay line."""
        return () if self.line is None else tuple(self.line.held)


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
    delays: tuple[float, ...] = ()
    """Seconds of a delay line behind the camera, see `Delayed`; none: there is no such line."""
    losing: int | None = None
    """Every so many-th frame is lost behind the camera."""
    server: Server | None = None
    """In measuring mode; None: a path that needs one cannot be measured."""
    network: str | None = None
    """The bad network before the server, of `NETWORKS`; None: none."""
    seed: int = 0
    """Of that network."""
    driver: Path | None = None
    """The clip that `pictures` are of; None: the sample."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the driver."""
        height, width, _ = self.pictures[0].shape
        return width, height

    def rig(self, clock: Clock, *, patience: float = 0.0) -> Rig:
        """A camera, with all faults behind.

        Args:
            patience: seconds by which it runs on, until somebody sees it and lets it run for `frames` from then.
        """
        count = self.frames + round(patience * RATE)
        return self._rigged(Stamped(camera(self.pictures, clock), clock, count=count, sound=self.sound), clock)

    def unpaced(self, clock: Clock) -> Rig:
        """As `rig`, each frame as soon as it is wanted."""
        laps = islice(cycle(self.pictures), self.frames)
        return self._rigged(Stamped(array_source(list(laps), rate=RATE), clock, sound=self.sound), clock)

    def _rigged(self, stamped: Stamped, clock: Clock) -> Rig:
        source: Source = stamped if self.losing is None else Losing(stamped, self.losing)
        line = Delayed(source, self.delays, clock) if self.delays else None
        return Rig(stamped, line or source, line)

    def condition(self) -> dict[str, Fact]:
        """For rows: only what was decided beforehand."""
        width, height = self.size
        about: dict[str, Fact] = {"driver": f"{width}x{height}", "model": IDLE if self.idle else self.settings.model}
        if not self.idle:
            about |= {"size": self.settings.size or 0, "backend": self.settings.backend}
        if self.settings.threads is not None:
            about["threads"] = self.settings.threads
        if self.delays:
            about["planted delay ms"] = " ".join(f"{delay * 1e3:g}" for delay in self.delays)
        if self.network is not None:
            about |= {"network": self.network, "seed": self.seed}
        if self.losing is not None:
            about["planted loss"] = f"1 of {self.losing}"
        return about
