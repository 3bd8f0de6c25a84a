"""In-painting by patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.portrait.layers import fill

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]


def fill_by_patches(pixels: Pixels, known: Bits, wanted: Bits | None = None) -> Pixels:
    """`pixels` (H, W, 3)."""
    return fill(pixels, known)
