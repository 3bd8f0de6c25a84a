"""Whether one series over time follows another: correlation and slope, where there is something to follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import CHANNELS

Array = NDArray[np.float64]

LEAST_RANGE: Final = dict(zip(CHANNELS, (0.1, 0.1, 5.0, 5.0, 5.0), strict=True))
"""From the 2nd to the 98th percentile, in the channel's unit: a driver that does less of it gives nothing to follow."""
_LEAST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a channel of an answer follows the driver's."""

    correlation: float
    slope: float
    """Of the regression line: 1 is as much as the driver does."""
    range: float
    """Of the driver, from the 2nd to the 98th percentile."""


def agreements(driver: Array, answer: Array) -> dict[str, Agreement]:
    """The channels that move in the driver, of (N, 5) channels over time; rows with NaN on either side are left out."""
    both = ~(np.isnan(driver).any(axis=1) | np.isnan(answer).any(axis=1))
    if both.sum() < _LEAST_FRAMES:
        return {}
    found = {}
    for column, name in enumerate(CHANNELS):
        wanted, got = driver[both, column], answer[both, column]
        extent = float(np.subtract(*np.percentile(wanted, [98, 2])))
        if extent > LEAST_RANGE[name]:
            found[name] = Agreement(_correlation(wanted, got), float(np.polyfit(wanted, got, 1)[0]), extent)
    return found


def _correlation(a: Array, b: Array) -> float:
    if b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
