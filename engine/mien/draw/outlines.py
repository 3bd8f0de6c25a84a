"""Closed outlines of landmarks in a picture: what lies inside of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.device.device import ON_HOST, Workspace
from mien_kernels import ops

Array = NDArray[np.float64]


def outline_mask(
    outline: Array, shape: tuple[int, int], out: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """(h, w) in 0..1: how much of each pixel lies inside of `outline` (N, 2), in pixels; into `out` if given."""
    mask = np.empty((1, *shape), np.float32) if out is None else out[None]
    fill_outline(outline, mask, ON_HOST, threads)
    return np.asarray(mask[0])


def fill_outline(outline: Array, into: Any, workspace: Workspace, threads: int = 1) -> None:
    """The same into an array (1, h, w) float32 of the workspace's device."""
    points = workspace.put(np.ascontiguousarray(outline, dtype=np.float32))
    starts = workspace.put(np.array([0, len(outline)], np.int32))
    ops.rasterize_parts(points, starts, workspace.put(np.zeros(1, np.int32)), out=into, threads=threads)
