"""What other processes take of the processors: all that this one has not begun, and what a hypervisor takes away."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_STEAL: Final = 8
"""Place of stolen time in the first line of /proc/stat."""
_PARENT, _USER, _SYSTEM, _BEGUN = 1, 11, 12, 19
"""Places in /proc/N/stat behind the name."""


@dataclass(frozen=True, slots=True)
class Process:
    """One that runs now."""

    parent: int
    ticks: int
    """Processor time that it took so far."""
    begun: int
    """When; tells it from a later one of the same number."""


class Bystanders:
    """Counts from now on. Blind to what began and ended in between, and outside of its container."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._then, self._stolen = processes(), stolen()

    def share(self) -> float:
        """Of the processors' time since then, 0..1; 0 where the system does not say."""
        ticks = taken_by_others(self._then, processes(), os.getpid()) + stolen() - self._stolen
        whole = (time.monotonic() - self._at) * (os.cpu_count() or 1) * os.sysconf("SC_CLK_TCK")
        return min(max(ticks / whole, 0.0), 1.0) if whole > 0 else 0.0


def taken_by_others(then: Mapping[int, Process], now: Mapping[int, Process], own: int) -> int:
    """Ticks that processes of `now` took since `then`, but for `own` and what it began, and what these began."""
    total = 0
    for number, process in now.items():
        if not _descends(number, now, own):
            before = then.get(number)
            known = before is not None and before.begun == process.begun
            total += process.ticks - (before.ticks if before is not None and known else 0)
    return total


def processes() -> dict[int, Process]:
    """Those that run, by number; none where the system does not say."""
    found = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks = int(fields[_USER]) + int(fields[_SYSTEM])
        found[int(path.parent.name)] = Process(int(fields[_PARENT]), ticks, int(fields[_BEGUN]))
    return found


def stolen() -> int:
    """Ticks that a hypervisor gave to others while we had work to do."""
    path = _PROC / "stat"
    return int(path.read_text().split("\n", 1)[0].split()[_STEAL]) if path.exists() else 0


def _descends(number: int, all_of_them: Mapping[int, Process], own: int) -> bool:
    while number in all_of_them and number != own:
        number = all_of_them[number].parent
    return number == own
