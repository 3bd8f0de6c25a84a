"""The stages that a pipeline runs for each frame."""

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
    """The stages of a run; each is called by one thread at a time, in order."""

    parse: Callable[[Frame], FaceT | None]
    """The face in a frame, None where there is none."""
    motion: Callable[[FaceT | None, float], MotionT | None]
    """The motion of the face at a time in seconds; None until a face was seen."""
    chain: Chain[MotionT]
    """The chain; in a live run the first of several."""
    shots: ShotLog = field(default_factory=ShotLog)
    """The driver's shots as `parse` finds them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measured stages, in the order of processing."""
        return (PARSE, MOTION, *self.chain.names)
