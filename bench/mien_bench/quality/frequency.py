"""Detail: how much fine structure regions of a picture hold, beside what the truth holds there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.picture import blurred, luma
from mien_bench.quality.regions import averages

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FINE_SIGMA = 1.0
"""Pixels: what a Gaussian of this width takes away is fine structure and grain."""
FLOOR = 0.25
"""Squared grey levels, about what rounding to whole ones leaves; keeps ratios of flat regions finite."""


def fine_energy(pixels: Pixels) -> Floats:
    """(H, W): energy of the luma's fine structure in squared grey levels."""
    values = luma(pixels)
    return np.asarray((values - blurred(values, FINE_SIGMA)) ** 2)


def detail(made: Pixels, truth: Pixels, regions: Floats) -> Array:
    """(6,): octaves of fine energy that `made` has above `truth` in each region; 0 is as much, -1 is half."""
    ours, theirs = averages(fine_energy(made), regions), averages(fine_energy(truth), regions)
    return np.asarray(np.log2((ours + FLOOR) / (theirs + FLOOR)))
