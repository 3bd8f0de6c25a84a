"""Erasing of invalid areas of the warped portrait before the generator sees it.

These are the inner mouth, always, and skin that the flow stretches too far or mirrors: lids over an opening eye, a
cheek that was hidden.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_kernels import ops

NOTHING: Final = 128
"""The byte for "unknown"; it becomes 0 in the generator's inputs."""
MOUTH_GAIN: Final = 6.0
"""Gain from a pixel's coverage by the inner mouth to how much is erased: the rim would show the portrait's own
teeth."""
STRETCHED, BEARABLE = 0.12, 0.25
"""Portrait pixels per target pixel below which everything, and above which nothing, is erased."""


def erase_invalid(
    warped: NDArray[np.uint8], mouth: NDArray[np.float32], flow: NDArray[np.float32], threads: int = 1
) -> None:
    """Replace invalid areas of `warped` (h, w, 3), h and w even, by `NOTHING`, in place.

    mouth: (h, w), the share of the target's inner mouth, as in its parsing map. flow: (h, w, 2), absolute, of target
    pixels to as large portrait pixels.
    """
    ops.erase(warped, mouth, flow, NOTHING, MOUTH_GAIN, (STRETCHED, BEARABLE), threads)
