"""Which processor this is and what it can do, as the system tells it."""

from __future__ import annotations

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
