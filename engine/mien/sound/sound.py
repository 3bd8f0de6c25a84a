"""A run of audio samples with time stamps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What a source's sound is, constant over the source."""

    rate: int
    """Samples per second."""
    channels: int
    """1 or 2; sources with more are mixed down at capture."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A run of samples with its place in time."""

    samples: NDArray[np.float32]
    """(channels, n) float32 in -1..1."""
    pts: int
    """Time of the first sample in units of `time_base`, on the same time line as the frames."""
    time_base: Fraction
    format: SoundFormat

    @property
    def seconds(self) -> float:
        """Time of the first sample in seconds."""
        return float(self.pts * self.time_base)
