"""Which runtime runs a graph, at which precision, and why: a value that can be printed and kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen."""

    backend: str
    precision: str
    reason: str
    milliseconds: float | None = None
    """Median of a run, where that was measured."""
    notes: tuple[str, ...] = ()
    """What could not take part, each with its cause and cure."""
    provisional: bool = False
    """Whether the machine was busy while it was measured, so that it is to be measured again when it is calm."""

    def __str__(self) -> str:
        time = "" if self.milliseconds is None else f", {self.milliseconds:.1f} ms"
        busy = "; measured while the machine was busy" if self.provisional else ""
        return f"{self.backend} {self.precision}{time}: {self.reason}{busy}"

    def as_json(self) -> bytes:
        """The choice as it is kept."""
        return json.dumps(asdict(self)).encode()


def read_choice(content: bytes | None) -> Choice | None:
    """The choice that was kept; None where that is not what it is."""
    try:
        kept = Choice(**json.loads(content or b""))
        milliseconds = None if kept.milliseconds is None else float(kept.milliseconds)
        notes = tuple(str(note) for note in kept.notes)
        words = str(kept.backend), str(kept.precision), str(kept.reason)
        return Choice(*words, milliseconds, notes, bool(kept.provisional))
    except (ValueError, TypeError):
        return None
