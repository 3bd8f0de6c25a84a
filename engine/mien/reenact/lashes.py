"""How thick the lashes are drawn along a portrait's upper lid.

When the lid comes down its skin is stretched; lashes would be stretched with it into a dark veil, so the lid's skin is
taken from above them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST, MOST = 0.05, 0.2
"""Bounds of the thickness, in eye widths."""
BEYOND = 0.24
"""Where along the way up there is skin in any case, in eye widths."""
STEPS = 25


def lash_thickness(pixels: NDArray[np.uint8], lid: Array, up: Array) -> float:
    """Share of an eye width, from pixels (H, W, 3), the upper rim `lid` (n, 2) and `up` (2,), one eye width upwards.

    Along each way up from the rim: where brightness has come half-way from the darkest to the skin's.
    """
    ways = np.linspace(0.0, BEYOND, STEPS)
    places = lid[:, None] + ways[None, :, None] * up
    x, y = np.rint(places).astype(np.int64).transpose(2, 0, 1)
    height, width = pixels.shape[:2]
    luma = pixels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64).mean(axis=2)
    ends = []
    for row in luma:
        darkest = int(row[: STEPS // 2].argmin())
        lighter = np.flatnonzero(row[darkest:] > (row[darkest] + row[-1]) / 2)
        ends.append(ways[darkest + lighter[0]] if len(lighter) else LEAST)
    return float(np.clip(np.percentile(ends, 75), LEAST, MOST))
