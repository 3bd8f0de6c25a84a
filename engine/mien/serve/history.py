"""What a session has shown, for its record."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mien.serve.portraits import Entry

LONGEST: Final = 1000
"""Changes that are kept; of earlier ones the number is."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What is shown from a moment on."""

    since: datetime
    portrait: Entry
    morph: Entry | None
    degree: float | None
    """The latest, where it was changed meanwhile."""


class History:
    """Changed on the event loop; other threads may take what it has as a tuple."""

    def __init__(self, portrait: Entry, morph: Entry | None, degree: float) -> None:
        """What is shown first."""
        self._given: dict[str, Entry] = {}
        self.give(portrait, morph)
        self.began = datetime.now(UTC)
        self.changes = deque([Showing(self.began, portrait, morph, None if morph is None else degree)], maxlen=LONGEST)
        """The latest ones."""
        self.left_out = 0
        """How many earlier ones there were."""
        self.seen: dict[str, Entry] = {}
        """All who were shown, by id."""
        self._see(portrait, morph)

    def give(self, *entries: Entry | None) -> None:
        """Know portraits that may be shown from now on: one that is deleted meanwhile may still be."""
        self._given.update({str(entry.path): entry for entry in entries if entry is not None})

    def at(self, path: str) -> Entry:
        """The portrait that was given whose picture lies, or lay, there."""
        return self._given[path]

    def show(self, portrait: Entry, morph: Entry | None, degree: float) -> None:
        """Note what is shown, if it is something else than before."""
        before = self.changes[-1]
        told = None if morph is None else degree
        if (portrait, morph) == (before.portrait, before.morph):
            self.changes[-1] = replace(before, degree=told)  # a slider that is dragged gives hundreds
            return
        self.left_out += len(self.changes) == self.changes.maxlen
        self.changes.append(Showing(datetime.now(UTC), portrait, morph, told))
        self._see(portrait, morph)

    def _see(self, portrait: Entry, morph: Entry | None) -> None:
        self.seen.update({entry.id: entry for entry in (portrait, morph) if entry is not None})
