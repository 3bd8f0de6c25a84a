"""One answer beside its truth, as a number for each measure and region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality import picture
from mien_bench.quality.frequency import detail
from mien_bench.quality.regions import averages, crop_of, cut, regions_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

MEASURES: Final = ("l1", "psnr", "gradient", "ssim", "detail")
"""Grey levels 0..255; decibels; 0..1; -1..1; octaves of fine energy above the truth's."""
LOWER_IS_BETTER: Final = frozenset({"l1"})
PSNR_MOST: Final = 60.0
"""Decibels of a region that has no error at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What one answer is worth."""

    identity: str
    """Whose face it is: answers of one identity count as one."""
    case: str
    model: str
    condition: str
    values: Array
    """(5, 6): `MEASURES` by `REGIONS`, NaN where the truth does not show the region."""


def score(made: Pixels, truth: Pixels, truth_landmarks: Array, portrait_landmarks: Array) -> Array:
    """(5, 6): `MEASURES` by `REGIONS` of pictures (H, W, 3) whose crop is that of the truth's landmarks (478, 3)."""
    matrix = crop_of(truth_landmarks)
    regions = regions_of(truth_landmarks, portrait_landmarks, matrix, (truth.shape[1], truth.shape[0]))
    ours, theirs = cut(made, matrix), cut(truth, matrix)
    squared = averages(picture.squared_difference(ours, theirs), regions)
    return np.array(
        [
            averages(picture.difference(ours, theirs), regions),
            np.minimum(20 * np.log10(255.0) - 10 * np.log10(np.maximum(squared, 1e-9)), PSNR_MOST),
            averages(picture.gradient_similarity(ours, theirs), regions),
            averages(picture.structure(ours, theirs), regions),
            detail(ours, theirs, regions),
        ]
    )
