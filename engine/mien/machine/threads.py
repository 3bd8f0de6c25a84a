"""How many processors there are, and how a live run shares them out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
ENOUGH = 4
"""Processors from which on each worker has some of its own."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Threads for each part of a live run.

    MediaPipe sets its own: one at work in each of its two graphs, of which one tracks and the other one seeks.
    """

    decode: int
    """One: more would keep frames back."""
    synthesis: int
    """Of the runtime and the kernels, which work one after the other."""
    encode: int


def usable_threads(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Logical processors that this process may run on, and no more than the time of which a container gives it.

    Docker's `--cpus`, a pod's limit and systemd's CPUQuota leave all processors in sight and stop whoever has used up
    the time of a few: with a thread for each, a frame would wait for those that are stopped.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted = min(_quotas(cgroups, membership), default=math.inf)
    return there if granted >= there else max(math.ceil(granted), 1)


def _quotas(cgroups: Path, membership: Path) -> Iterator[float]:
    """Processors' worth of time that each control group, of version 1 or 2, grants which this process is in."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # not on this system
        return
    for line in lines:
        _, controllers, inside = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = cgroups / controllers
        group = root / inside.lstrip("/")
        for folder in (group, *group.parents):
            quota = _quota(folder)
            if quota is not None:
                yield quota
            if folder == root:
                break


def _quota(folder: Path) -> float | None:
    try:
        told = (folder / "cpu.max").read_text().split()
    except OSError:
        try:
            told = [(folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
        except OSError:
            return None
    try:
        quota, period = map(int, told)
    except ValueError:  # "max"
        return None
    return quota / period if quota > 0 and period > 0 else None


def spare_processors() -> None:
    """Have NumPy compute with the caller's thread alone; for a program, before anything imports NumPy.

    Its OpenBLAS shares small products and inverses among all processors, and its threads then spin for a tenth of a
    second each time: one of them a frame takes a processor from the model. What the user set stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def share_out(threads: int) -> Shares:
    """Shares of a budget of at least one thread.

    On few processors the synthesis may use all: a frame is parsed and encoded while the next one is not yet there. On
    more, one is left to parsing and some to the encoder, so that no worker waits for another one's threads.
    """
    if threads < ENOUGH:
        return Shares(decode=1, synthesis=threads, encode=1)
    encode = threads // ENOUGH
    return Shares(decode=1, synthesis=threads - 1 - encode, encode=encode)
