"""How far apart two results are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PEAK = 2.0
"""Of pictures in -1..1."""
MOST_DB = 200.0
"""Stands for equality."""


def psnr(a: NDArray[Any], b: NDArray[Any], peak: float = PEAK) -> float:
    """Peak signal-to-noise ratio in dB of arrays of one shape, `MOST_DB` at most."""
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float64))))
    return MOST_DB if error == 0 else min(float(10 * np.log10(peak**2 / error)), MOST_DB)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Errors over several pairs of arrays, in the arrays' units."""

    largest: float
    mean: float
    psnr: float
    """Mean over the pairs, dB."""

    @classmethod
    def of(cls, got: list[NDArray[Any]], expected: list[NDArray[Any]], peak: float = PEAK) -> Agreement:
        """Between results and what they should be."""
        errors = [np.abs(np.subtract(a, b, dtype=np.float64)) for a, b in zip(got, expected, strict=True)]
        return cls(
            largest=max(float(error.max()) for error in errors),
            mean=float(np.mean([error.mean() for error in errors])),
            psnr=float(np.mean([psnr(a, b, peak) for a, b in zip(got, expected, strict=True)])),
        )
