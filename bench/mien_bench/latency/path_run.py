"""One run over one path: what is to be measured, and what was sent and seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from mien.capture.source import Source
from mien.capture.synthetic import array_source
from mien.clock import Clock
from mien.config import ReenactSettings
from mien.errors import MienError
from mien_bench.latency.impaired_run import ImpairedNetwork
from mien_bench.latency.programs import Server
from mien_bench.latency.sources import RATE, Delayed, Losing, Pixels, Stamped, camera
from mien_bench.latency.trace import Observed, TraceSummary, evaluate
from mien_bench.results import Fact

PATIENCE = 60.0
"""Time limit in seconds for the first picture at the far end."""
IDLE = "none"
"""No engine: the driver's picture is passed through."""


@dataclass(frozen=True, slots=True, eq=False)
class CodedSource:
    """A source of coded frames, with its planted faults."""

    stamped: Stamped
    source: Source
    """To read from; closing it closes all."""
    line: Delayed | None

    @property
    def held(self) -> tuple[float, ...]:
        """Seconds that each frame was delayed in truth; empty where there is no delay line."""
        return () if self.line is None else tuple(self.line.held)


@dataclass(frozen=True, slots=True)
class PathSetup:
    """The settings of a run: coded frames, portrait, engine, faults, network."""

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
    """Name in `NETWORKS` of the impaired network before the server; None: none."""
    seed: int = 0
    """Of that network."""
    driver: Path | None = None
    """The clip that `pictures` are of; None: the sample."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the driver."""
        height, width, _ = self.pictures[0].shape
        return width, height

    def rig(self, clock: Clock, *, patience: float = 0.0) -> CodedSource:
        """A camera, with all faults behind.

        Args:
            patience: seconds by which it runs on, until somebody sees it and lets it run for `frames` from then.
        """
        count = self.frames + round(patience * RATE)
        return self._rigged(Stamped(camera(self.pictures, clock), clock, count=count, sound=self.sound), clock)

    def unpaced(self, clock: Clock) -> CodedSource:
        """As `rig`, each frame as soon as it is wanted."""
        laps = islice(cycle(self.pictures), self.frames)
        return self._rigged(Stamped(array_source(list(laps), rate=RATE), clock, sound=self.sound), clock)

    def _rigged(self, stamped: Stamped, clock: Clock) -> CodedSource:
        source: Source = stamped if self.losing is None else Losing(stamped, self.losing)
        line = Delayed(source, self.delays, clock) if self.delays else None
        return CodedSource(stamped, line or source, line)

    def condition(self) -> dict[str, Fact]:
        """Condition of rows: only what was decided beforehand."""
        width, height = self.size
        about: dict[str, Fact] = {"driver": f"{width}x{height}", "model": IDLE if self.idle else self.settings.model}
        if not self.idle:
            about |= {"size": self.settings.size or 0, "backend": self.settings.backend}
        if self.settings.style is not None and not self.idle:
            about["style"] = self.settings.style
        if self.settings.threads is not None:
            about["threads"] = self.settings.threads
        if self.delays:
            about["planted delay ms"] = " ".join(f"{delay * 1e3:g}" for delay in self.delays)
        if self.network is not None:
            about |= {"network": self.network, "seed": self.seed}
        if self.losing is not None:
            about["planted loss"] = f"1 of {self.losing}"
        return about


class NotAvailable(MienError):
    """A path that is not available on this machine; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class PathRun:
    """The outcome of a run: what was sent, what was seen, and the engine's statistics."""

    observed: Observed
    sent: int
    """Frames that were stamped."""
    statistics: Mapping[str, Any]
    """The engine's own, as JSON; empty where there are none."""
    held: tuple[float, ...] = ()
    """Seconds that a planted delay line held each frame; empty where there is none."""
    lossless: bool = False
    """Whether every frame must arrive, the first and the last as well."""
    notes: tuple[str, ...] = field(default=())
    impairment: ImpairedNetwork | None = None
    """The impaired network of the run; None: there was none."""

    def summary(self, leave_out: float) -> TraceSummary:
        """The judgement, without so many seconds at the beginning where frames may be lost."""
        if self.lossless:
            return evaluate(self.observed, sent=self.sent)
        return evaluate(self.observed, leave_out=leave_out)
