"""What a driver does, found once: parse and motion do not know the portrait, so all portraits are given the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import mien
from mien.config import ReenactSettings
from mien.errors import FaceError
from mien.face.measures import channels_over_time
from mien.face.motion import Motion
from mien.frame import Frame
from mien.portrait.portrait import Portrait
from mien.stages import open_stages
from mien_bench.recording import Recording, read_recording

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A driver, frame by frame."""

    path: Path
    recording: Recording
    landmarks: tuple[Array | None, ...]
    """(478, 3) of each frame, None where no face was found."""
    motions: tuple[Motion | None, ...]
    channels: Array
    """(N, 5): `mien.face.measures.CHANNELS`, NaN without a face."""

    @property
    def name(self) -> str:
        return self.path.stem


def perform(path: Path, anyone: Portrait, settings: ReenactSettings) -> Performance:
    """Send a driver through the stages up to motion; any portrait does, since these stages never look at it.

    Raises:
        SourceError: the driver cannot be read.
        FaceError: no frame has a face.
    """
    landmarks: list[Array | None] = []
    motions: list[Motion | None] = []
    with mien.capture.open(path) as source, open_stages((anyone,), source, settings) as stages:
        for frame in source:
            if isinstance(frame, Frame):
                face = stages.parse(frame)
                landmarks.append(None if face is None else face.landmarks)
                motions.append(stages.motion(face, frame.seconds))
    if all(found is None for found in landmarks):
        raise FaceError(f"{path}: expected a face, got none in {len(landmarks)} frames; take another driver")
    return Performance(path, read_recording(path), tuple(landmarks), tuple(motions), channels_over_time(landmarks))
