"""What travels through the slots of a live run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from mien.frame import Frame
from mien.pipeline.stages import MotionT


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame of the source, its time put right."""

    frame: Frame
    number: int
    """Counted over all frames of the source."""
    interval: float
    """Seconds to the next frame at the source's present rate."""


@dataclass(frozen=True, slots=True)
class Moved(Generic[MotionT]):
    """A frame of which is known what the driver does in it."""

    captured: Captured
    motion: MotionT | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The portrait's answer to a frame."""

    frame: Frame
    captured: Captured
    level: int
    """At which it was made, as an index of `mien.pipeline.controller.LEVELS`."""
    busy: float
    """Seconds that the slowest worker takes for a frame, on average."""
    held: bool = False
    """Whether it is the picture before once more: its lips do not move."""
