"""Log of the driver's shots for statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

BEGINNING = "beginning"
KEPT, KEPT_LIVE = 10_000, 64
"""Shots that are told of, the latest: of a file, and of a stream that goes on for days."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What was taken in one go."""

    shot: int
    """Its number, counted from 0; that of an earlier shot where its picture came back."""
    begin: float
    """Seconds from the run's first frame."""
    frames: int
    cause: str
    """What made the cut before it certain."""

    def as_json(self) -> dict[str, Any]:
        return {"shot": self.shot, "begin": round(self.begin, 3), "frames": self.frames, "cause": self.cause}


class ShotLog:
    """One thread counts, any may read."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._past: list[Shot] = []
        self._now: Shot | None = None
        self._origin = 0.0

    def count(self, seconds: float) -> None:
        """A frame, shown at `seconds`, of the present shot."""
        if self._now is None:
            self._origin = seconds
            self._now = Shot(0, 0.0, 0, BEGINNING)
        self._now = replace(self._now, frames=self._now.frames + 1)

    def cut(self, shot: int, begin: float, cause: str, late: int = 0) -> None:
        """What comes is another shot, as are the last `late` frames that were counted."""
        before = self._now
        if before is None:
            return
        self._past.append(replace(before, frames=before.frames - late))
        del self._past[: -self._kept]
        self._now = Shot(shot, begin - self._origin, late, cause)

    @property
    def all(self) -> tuple[Shot, ...]:
        """In order, the present one last."""
        now = self._now
        return (*self._past, *(() if now is None else (now,)))
