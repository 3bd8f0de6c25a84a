"""Closed outlines of landmarks in a picture: the box around one, and what lies inside."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from mien_kernels import ops

Array = NDArray[np.float64]
Box = tuple[slice, slice]


def box_around(points: Array, margin: int, width: int, height: int) -> Box | None:
    """Rows and columns around points (N, 2) within a picture; None where they lie outside."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    x0, y0 = max(floor(left) - margin, 0), max(floor(top) - margin, 0)
    x1, y1 = min(ceil(right) + margin + 1, width), min(ceil(bottom) + margin + 1, height)
    return (slice(y0, y1), slice(x0, x1)) if x1 - x0 > 1 and y1 - y0 > 1 else None


def outline_mask(
    outline: Array, shape: tuple[int, int], out: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel lies inside of `outline` (N, 2), in pixels; into `out` if given."""
    mask = np.empty((1, *shape), np.float32) if out is None else out[None]
    starts, channel = np.array([0, len(outline)], np.int32), np.zeros(1, np.int32)
    ops.rasterize_parts(np.ascontiguousarray(outline, dtype=np.float32), starts, channel, out=mask, threads=threads)
    return np.asarray(mask[0])
