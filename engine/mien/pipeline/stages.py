"""What happens to a frame, as the pipelines are told it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mien.frame import Frame
from mien.pipeline.chain import Chain
from mien.shots import ShotLog
from mien.stats import Statistics

FaceT = TypeVar("FaceT")
MotionT = TypeVar("MotionT")

Progress = Callable[[Statistics], None]
PARSE, MOTION = "parse", "motion"


@dataclass(frozen=True, slots=True)
class Stages(Generic[FaceT, MotionT]):
    """What happens to a frame, offline and live; each is only ever called by one thread at a time, in order."""

    parse: Callable[[Frame], FaceT | None]
    """The face in a frame, None where there is none."""
    motion: Callable[[FaceT | None, float], MotionT | None]
    """What the face at a time in seconds does; None as long as none was seen."""
    chain: Chain[MotionT]
    """What makes the pictures; in a live run the first of several."""
    shots: ShotLog = field(default_factory=ShotLog)
    """What `parse` takes the driver to be made of."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is measured between source and sink, in the order of a frame's way."""
        return (PARSE, MOTION, *self.chain.names)
