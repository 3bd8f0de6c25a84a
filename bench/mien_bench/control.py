"""Whether the machine is steady enough to be measured on: a control workload, and the CPU time of other processes.

The workload runs between repetitions; what it takes must not vary.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mien_bench.results import Steadiness

_PROC: Final = Path("/proc")
_STEAL: Final = 8
"""Index of stolen time in the first line of /proc/stat."""
_PARENT, _USER, _SYSTEM, _BEGUN = 1, 11, 12, 19
"""Field indices in /proc/N/stat after the name."""
COPIED: Final = 32 << 20
"""Bytes of a control copy: more than the caches near a processor hold."""
ROUNDS: Final = 400
"""Passes of the control arithmetic over `WITHIN` bytes."""
WITHIN: Final = 64 << 10
SPREAD: Final = 0.10
"""Between the quartiles, as a fraction of the median; a machine whose control spreads more is noisy."""
OTHERS: Final = 0.10
"""Fraction of the processors that other processes may use."""
FEWEST: Final = 4
"""Fewest samples for quartiles."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs now."""

    parent: int
    ticks: int
    """Processor time used so far."""
    begun: int
    """Start time; distinguishes it from a later process with the same number."""


class OtherProcesses:
    """CPU time of other processes from now on, in this container. Misses those that begin and end in between."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._then, self._stolen = processes(), stolen_ticks()

    def fraction(self) -> float:
        """Fraction of the CPU time since then, 0..1; 0 where the system does not report it."""
        ticks = ticks_of_others(self._then, processes(), os.getpid()) + stolen_ticks() - self._stolen
        whole = (time.monotonic() - self._at) * (os.cpu_count() or 1) * os.sysconf("SC_CLK_TCK")
        return min(max(ticks / whole, 0.0), 1.0) if whole > 0 else 0.0


def ticks_of_others(then: Mapping[int, Process], now: Mapping[int, Process], own: int) -> int:
    """Ticks that processes of `now` took since `then`, but for `own` and what it began, and what these began."""
    total = 0
    for number, process in now.items():
        if not _descends(number, now, own):
            before = then.get(number)
            known = before is not None and before.begun == process.begun
            total += process.ticks - (before.ticks if before is not None and known else 0)
    return total


def processes() -> dict[int, Process]:
    """Running processes by number; none where the system does not list them."""
    found = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks = int(fields[_USER]) + int(fields[_SYSTEM])
        found[int(path.parent.name)] = Process(int(fields[_PARENT]), ticks, int(fields[_BEGUN]))
    return found


def stolen_ticks() -> int:
    """Stolen time in ticks: what a hypervisor gave to other machines while we had work to do."""
    path = _PROC / "stat"
    return int(path.read_text().split("\n", 1)[0].split()[_STEAL]) if path.exists() else 0


def _descends(number: int, all_of_them: Mapping[int, Process], own: int) -> bool:
    while number in all_of_them and number != own:
        number = all_of_them[number].parent
    return number == own


class Control:
    """Call it before each repetition and after the last; the rest comes out of `steadiness`."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._source = np.ones(COPIED, np.uint8)
        self._target = np.zeros(COPIED, np.uint8)
        self._values = np.linspace(0.1, 1.0, WITHIN // 8)
        np.copyto(self._target, self._source)  # so that its pages are there
        self._copy: list[float] = []
        self._compute: list[float] = []
        self._began = OtherProcesses()

    def __call__(self) -> None:
        """Take a sample: about 10 ms."""
        self._copy.append(self._timed(lambda: np.copyto(self._target, self._source)))
        self._compute.append(self._timed(self._work))

    def steadiness(self) -> Steadiness:
        """The verdict on all samples so far."""
        return judge(self._copy, self._compute, self._began.fraction())

    def _work(self) -> None:
        for _ in range(ROUNDS):
            np.sqrt(self._values, out=self._values)
            np.multiply(self._values, self._values, out=self._values)

    def _timed(self, call: Callable[[], object]) -> float:
        begin = self._now()
        call()
        return (self._now() - begin) * 1e3


def judge(copy_ms: Sequence[float], compute_ms: Sequence[float], others: float) -> Steadiness:
    """The verdict on samples of the control; empty without any, since then nothing was timed."""
    if not copy_ms:
        return Steadiness(others=others)
    spreads = {"copies": _spread(copy_ms), "arithmetic": _spread(compute_ms)}
    said = [f"control {name} spread {fraction:.0%}" for name, fraction in spreads.items() if fraction is not None]
    said.append(f"other processes took {others:.0%} of the processors")
    if len(copy_ms) < FEWEST:
        said.insert(0, f"only {len(copy_ms)} control samples")
    noisy = others > OTHERS or any(fraction is not None and fraction > SPREAD for fraction in spreads.values())
    words = ("too noisy for its bound: " if noisy else "steady: ") + ", ".join(said)
    words += f" (bounds {SPREAD:.0%} and {OTHERS:.0%})"
    return Steadiness(tuple(copy_ms), tuple(compute_ms), others, noisy, words)


def _spread(samples: Sequence[float]) -> float | None:
    if len(samples) < FEWEST:
        return None
    low, middle, high = np.quantile(samples, [0.25, 0.5, 0.75])
    return float((high - low) / middle)
