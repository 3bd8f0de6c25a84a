"""Whether the machine is steady enough to be measured on: fixed work between repetitions, and what others take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mien_bench.bystanders import Bystanders
from mien_bench.results import Steadiness

COPIED: Final = 32 << 20
"""Bytes of a control copy: more than caches near a processor hold."""
ROUNDS: Final = 400
"""Passes of the control arithmetic over `WITHIN` bytes."""
WITHIN: Final = 64 << 10
SPREAD: Final = 0.10
"""Between the quartiles, as a share of the median; a machine whose control spreads more is noisy."""
OTHERS: Final = 0.10
"""Share of the processors that other processes may take."""
FEWEST: Final = 4
"""Samples below which quartiles say nothing."""


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
        self._began = Bystanders()

    def __call__(self) -> None:
        """Take a sample: about 10 ms."""
        self._copy.append(self._timed(lambda: np.copyto(self._target, self._source)))
        self._compute.append(self._timed(self._work))

    def steadiness(self) -> Steadiness:
        """The verdict on all samples so far."""
        return judge(self._copy, self._compute, self._began.share())

    def _work(self) -> None:
        for _ in range(ROUNDS):
            np.sqrt(self._values, out=self._values)
            np.multiply(self._values, self._values, out=self._values)

    def _timed(self, call: Callable[[], object]) -> float:
        begin = self._now()
        call()
        return (self._now() - begin) * 1e3


def judge(copy_ms: Sequence[float], compute_ms: Sequence[float], others: float) -> Steadiness:
    """What samples of the control say together; nothing without any, since then nothing was timed."""
    if not copy_ms:
        return Steadiness(others=others)
    spreads = {"copies": _spread(copy_ms), "arithmetic": _spread(compute_ms)}
    said = [f"control {name} spread {share:.0%}" for name, share in spreads.items() if share is not None]
    said.append(f"other processes took {others:.0%} of the processors")
    if len(copy_ms) < FEWEST:
        said.insert(0, f"only {len(copy_ms)} control samples")
    noisy = others > OTHERS or any(share is not None and share > SPREAD for share in spreads.values())
    words = ("too noisy for its bound: " if noisy else "steady: ") + ", ".join(said)
    words += f" (bounds {SPREAD:.0%} and {OTHERS:.0%})"
    return Steadiness(tuple(copy_ms), tuple(compute_ms), others, noisy, words)


def _spread(samples: Sequence[float]) -> float | None:
    if len(samples) < FEWEST:
        return None
    low, middle, high = np.quantile(samples, [0.25, 0.5, 0.75])
    return float((high - low) / middle)
