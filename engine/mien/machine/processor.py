"""The processors: features, load, number, and their division among the parts of a live run."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_INFORMATION: Final = Path("/proc/cpuinfo")
_FLAGS: Final = frozenset({"flags", "Features"})  # on x86, on Arm

FEATURES: Final[Mapping[str, frozenset[str]]] = {
    "avx2": frozenset({"avx2"}),
    "avx512": frozenset({"avx512f"}),
    "vnni": frozenset({"avx512_vnni", "avx_vnni", "asimddp"}),
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "amx": frozenset({"amx_tile"}),
}
"""What speeds networks up, each by any of the kernel's words for it."""
CALM_LOAD: Final = 0.5
"""Runnable threads of all programs per processor, in the mean of the last minute, up to which it counts as calm."""
CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
ENOUGH = 4
"""Processors from which on each worker has some of its own."""


@dataclass(frozen=True, slots=True)
class Processor:
    """Name and flags."""

    name: str
    flags: frozenset[str]
    """As the kernel lists them; none where it does not."""

    @property
    def features(self) -> tuple[str, ...]:
        """Those of `FEATURES` that it has, in their order."""
        return tuple(feature for feature, words in FEATURES.items() if words & self.flags)


@cache
def this_processor() -> Processor:
    """The one that this process runs on."""
    try:
        return described(_INFORMATION.read_text())
    except OSError:
        return described("")


def described(information: str) -> Processor:
    """The processor that a text in the form of /proc/cpuinfo speaks of: its first."""
    lines = [line.partition(":") for line in information.split("\n\n")[0].splitlines()]
    facts = {key.strip(): value.strip() for key, _, value in lines}
    name = facts.get("model name") or platform.processor() or platform.machine()
    return Processor(name, frozenset(" ".join(facts.get(key, "") for key in _FLAGS).split()))


def is_calm() -> bool:
    """Whether the machine has had little to do in the last minute; so where the system does not say."""
    try:
        return os.getloadavg()[0] <= CALM_LOAD * (os.cpu_count() or 1)
    except OSError:
        return True


def waited(tasks: Path = Path("/proc/self/task")) -> float:
    """Seconds that the threads of this process were ready to run and had no processor; 0 where Linux does not say.

    The second number of a thread's schedstat, in nanoseconds (Documentation/scheduler/sched-stats.rst).
    """
    nanoseconds = 0
    for schedstat in tasks.glob("*/schedstat"):
        try:
            nanoseconds += int(schedstat.read_text().split()[1])
        except (OSError, ValueError, IndexError):  # a thread that has ended meanwhile
            continue
    return nanoseconds * 1e-9


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
