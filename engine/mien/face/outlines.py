"""Closed outlines of landmarks in a picture: the box around one, and what lies inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien_kernels import ops

Array = NDArray[np.float64]
Box = tuple[slice, slice]


def box_around(points: Array, margin: int, width: int, height: int) -> Box | None:
    """Rows and columns around points (N, 2) within a picture; None where they lie outside."""
    low, high = np.floor(points.min(axis=0)).astype(int) - margin, np.ceil(points.max(axis=0)).astype(int) + margin + 1
    x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height)
    return (slice(int(y0), int(y1)), slice(int(x0), int(x1))) if x1 - x0 > 1 and y1 - y0 > 1 else None


def outline_mask(
    outline: Array, shape: tuple[int, int], out: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel lies inside of `outline` (N, 2), in pixels; into `out` if given."""
    mask = np.empty((1, *shape), np.float32) if out is None else out[None]
    starts, channel = np.array([0, len(outline)], np.int32), np.zeros(1, np.int32)
    ops.rasterize_parts(np.ascontiguousarray(outline, dtype=np.float32), starts, channel, out=mask, threads=threads)
    return np.asarray(mask[0])
