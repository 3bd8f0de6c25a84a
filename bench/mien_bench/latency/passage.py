"""What one run over one path gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mien.errors import MienError
from mien_bench.latency.crossing import Crossing
from mien_bench.latency.trace import Found, Sight, evaluate


class NotHere(MienError):
    """A path that this machine has not, or lacks something for; the line says what."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What was sent, what was seen, and what the engine says of it."""

    sight: Sight
    sent: int
    """Frames that were stamped."""
    statistics: Mapping[str, Any]
    """The engine's own, as JSON; empty where it told none."""
    held: tuple[float, ...] = ()
    """Seconds that a planted delay line held each frame; empty where there is none."""
    lossless: bool = False
    """Whether every frame must arrive, the first and the last as well."""
    notes: tuple[str, ...] = field(default=())
    crossing: Crossing | None = None
    """The bad network on the way; None: there was none."""

    def found(self, leave_out: float) -> Found:
        """The judgement, without so many seconds at the beginning where frames may be lost."""
        if self.lossless:
            return evaluate(self.sight, sent=self.sent)
        return evaluate(self.sight, leave_out=leave_out)
