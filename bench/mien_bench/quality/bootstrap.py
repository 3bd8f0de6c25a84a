"""Means over identities, and how sure the difference of two is: the paired bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 2000
SURE = 95.0
"""Per cent that an interval holds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two means over the same identities, second less first."""

    mean: float
    low: float
    high: float
    """The interval: percentiles of the mean over identities drawn with replacement."""
    count: int
    """Identities that show both."""

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero; of a single identity there is none to speak of."""
        return self.count > 1 and (self.low > 0 or self.high < 0)


def by_identity(identities: Sequence[str], values: Array) -> dict[str, Array]:
    """For each identity the mean of its rows of `values` (N, ...), over those that are not NaN."""
    rows: dict[str, list[Array]] = {}
    for identity, value in zip(identities, values, strict=True):
        rows.setdefault(identity, []).append(value)
    return {identity: mean_of(np.array(several)) for identity, several in rows.items()}


def mean_of(values: Array) -> Array:
    """The mean over the first axis of what is not NaN; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column of NaN has the mean NaN
        return np.asarray(np.nanmean(values, axis=0))


def difference(first: Array, second: Array, seed: int = 0) -> Difference:
    """The difference of two models over the same identities: `first` and `second` (N,), NaN where one has no value."""
    change = second - first
    change = change[np.isfinite(change)]
    if not len(change):
        return Difference(float("nan"), float("nan"), float("nan"), 0)
    drawn = np.random.default_rng(seed).integers(0, len(change), (ROUNDS, len(change)))
    low, high = np.percentile(change[drawn].mean(axis=1), [50 - SURE / 2, 50 + SURE / 2])
    return Difference(float(change.mean()), float(low), float(high), len(change))
