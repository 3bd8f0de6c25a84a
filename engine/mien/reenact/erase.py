"""What is taken out of the warped portrait before a generator sees it: places that a warp cannot know.

That is the inner mouth, always, and skin that the flow stretches beyond use or turns inside out: lids drawn over an eye
that opens, a cheek that was hidden.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.reenact.parsing import PARTS

TEETH: Final = PARTS.index("teeth")
NOTHING: Final = 128
"""The byte that says "unknown": it becomes 0 in the generator's inputs."""
MOUTH_GAIN: Final = 6.0
"""Share of the inner mouth in a pixel, times this, is the share erased: the rim shows the portrait's own teeth."""
STRETCHED, BEARABLE = 0.10, 0.22
"""Pixels of the portrait to one of the target below which all, and above which nothing, is erased."""


def erasure(parsing: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel of the warped portrait is to be erased.

    parsing: (9, h, w), of the target. flow: (h, w, 2), absolute, of target pixels to as large portrait pixels; h and w
    are even.
    """
    out = np.repeat(np.repeat(_stretch(flow), 2, axis=0), 2, axis=1)
    np.maximum(out, np.minimum(parsing[TEETH] * np.float32(MOUTH_GAIN), np.float32(1)), out=out)
    return out


def erase(warped: NDArray[np.uint8], share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`warped` (h, w, 3) with `share` (h, w) of each pixel replaced by `NOTHING`."""
    difference = (np.float32(NOTHING) - warped) * share[..., None]
    return np.asarray(warped + difference + np.float32(0.5), dtype=np.uint8)


def _stretch(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h / 2, w / 2) in 0..1: 1 where the determinant of the flow's derivative is below `STRETCHED`."""
    right = flow[::2, 1::2] - flow[::2, ::2]
    down = flow[1::2, ::2] - flow[::2, ::2]
    area = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
    return np.asarray(np.clip((BEARABLE - area) / (BEARABLE - STRETCHED), 0, 1), dtype=np.float32)
