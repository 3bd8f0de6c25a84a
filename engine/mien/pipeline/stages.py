"""What happens to a frame, as the pipelines are told it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from mien.clock import Clock
from mien.frame import Frame
from mien.shots import ShotLog
from mien.stats import Latency, Statistics

FaceT = TypeVar("FaceT")
MotionT = TypeVar("MotionT")
T = TypeVar("T")

Progress = Callable[[Statistics], None]


@dataclass(frozen=True, slots=True)
class Stages(Generic[FaceT, MotionT]):
    """What happens to a frame, as plain callables; each is only ever called by one thread at a time, in order."""

    parse: Callable[[Frame], FaceT | None]
    """The face in a frame, None where there is none."""
    motion: Callable[[FaceT | None, float], MotionT | None]
    """What the face at a time in seconds does; None as long as none was seen."""
    synthesis: tuple[tuple[str, Callable[..., Any]], ...]
    """Named callables: the first is given (MotionT | None, Frame), each other what the one before returned, and the
    last returns (H, W, 3 or 4) uint8 pixels, C-contiguous, that it will not write to again."""

    about: str = "warp"
    """What makes the pictures, and which runtime runs it."""
    notes: tuple[str, ...] = ()
    """What a user should know of that: runtimes that are missing."""
    shots: ShotLog = field(default_factory=ShotLog)
    """What `parse` takes the driver to be made of."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is measured, in the order of a frame's way."""
        return ("decode", "parse", "motion", *(name for name, _ in self.synthesis))


def timed(latency: Latency, clock: Clock, call: Callable[..., T]) -> Callable[..., T]:
    """`call`, with its durations recorded in `latency`."""

    def timed_call(*arguments: Any) -> T:
        began = clock.now()
        result = call(*arguments)
        latency.record(clock.now() - began)
        return result

    return timed_call
