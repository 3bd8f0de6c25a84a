"""Closed outlines of landmarks in a picture: what lies inside of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien_kernels import ops

Array = NDArray[np.float64]


def outline_mask(
    outline: Array, shape: tuple[int, int], out: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel lies inside of `outline` (N, 2), in pixels; into `out` if given."""
    mask = np.empty((1, *shape), np.float32) if out is None else out[None]
    starts, channel = np.array([0, len(outline)], np.int32), np.zeros(1, np.int32)
    ops.rasterize_parts(np.ascontiguousarray(outline, dtype=np.float32), starts, channel, out=mask, threads=threads)
    return np.asarray(mask[0])
