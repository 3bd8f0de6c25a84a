"""Resident memory of this process over a run."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import numpy as np

from mien.errors import SettingError

_STATM = Path("/proc/self/statm")


def resident() -> float:
    """Resident memory in megabytes (10^6); where the system does not report it, the peak."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class MemoryLog:
    """Called once per frame; records `resident` at every `every`-th."""

    def __init__(self, every: int) -> None:
        if every < 1:
            raise SettingError(f"every must be at least 1 frame, got {every}")
        self._every = every
        self._seen = 0
        self.frames: list[int] = []
        self.megabytes: list[float] = []

    def __call__(self) -> bool:
        """Count a frame; whether it was noted."""
        self._seen += 1
        if self._seen % self._every:
            return False
        self.frames.append(self._seen)
        self.megabytes.append(resident())
        return True


def slope(frames: list[int], megabytes: list[float], warm_up: float) -> float | None:
    """Megabytes that 1000 frames add, by a straight line through what follows the first `warm_up` share of the frames.

    None where fewer than three values follow.
    """
    late = [number > warm_up * frames[-1] for number in frames] if frames else []
    x, y = np.array(frames, float)[late], np.array(megabytes)[late]
    return float(np.polyfit(x, y, 1)[0]) * 1000 if len(x) > 2 else None
