"""What a process of this machine uses, as Linux tells it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mien_bench.latency.passage import NotHere

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """At one moment."""

    cpu: float
    """Processor seconds so far."""
    megabytes: float
    """That it holds (10^6 bytes)."""
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    """Of a process of ours.

    Raises:
        NotHere: the system does not tell, or it has ended.
    """
    try:
        place = _PROC / str(pid)
        after_name = (place / "stat").read_text().rpartition(")")[2].split()
        ticks = int(after_name[11]) + int(after_name[12])
        pages = int((place / "statm").read_text().split()[1])
        descriptors, threads = len(os.listdir(place / "fd")), len(os.listdir(place / "task"))
    except (OSError, IndexError, ValueError) as error:
        raise NotHere(f"process {pid}: expected /proc to tell what it uses, got none ({error})") from error
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6, descriptors, threads)
