"""Which processor this is, what it can do, and whether it is busy, as the system tells it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
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


CALM_LOAD: Final = 0.5
"""Runnable threads of all programs per processor, in the mean of the last minute, up to which it counts as calm."""


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
