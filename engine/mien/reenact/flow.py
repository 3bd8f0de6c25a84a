"""Backward flow from the target to the portrait, rasterised from the mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.plane import Box, Grid, from_grid
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import Mesh
from mien_kernels import ops

FINEST = 640
"""Longer side of the finest flow; beyond, the flow is smooth enough to be interpolated."""
WHOLE = 0.6
"""Fraction of the picture's area above which the window is the whole picture."""


def window_of(portrait: Portrait, mesh: Mesh) -> Box:
    """The part of the picture that the mesh covers."""
    width, height = portrait.size
    low, high = mesh.source.min(axis=0), mesh.source.max(axis=0)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(np.ceil(high[0])) + 1, width), min(int(np.ceil(high[1])) + 1, height)
    if (x1 - x0) * (y1 - y0) > WHOLE * width * height:
        return Box.whole(width, height)
    return Box.between(x0, y0, x1, y1)


class Flow:
    """Rasterises flows of one window into buffers that are allocated once."""

    def __init__(self, window: Box, mesh: Mesh, threads: int) -> None:
        width, height = window.size
        self._share = min(1.0, FINEST / max(width, height))
        shape = (max(round(height * self._share), 1), max(round(width * self._share), 1))
        self._grid = Grid(window.size, shape, self._share)
        self._flow = np.empty((*shape, 2), np.float32)
        self._depth = np.empty(shape, np.float32)
        self._triangles = mesh.triangles
        self._threads = threads

    def __call__(self, vertices: NDArray[np.float32], source: NDArray[np.float32]) -> NDArray[np.float32]:
        """The flow (h, w, 2) from target `vertices` (V, 3) back to `source` (V, 2), all in pixels of the window."""
        scaled = self._grid.cells(vertices)
        ops.rasterize_flow(scaled, source, self._triangles, out=self._flow, depth=self._depth, threads=self._threads)
        if self._share < 1.0:
            self._rescale_uncovered()
        return self._flow

    def _rescale_uncovered(self) -> None:
        """Convert uncovered pixels, which hold grid coordinates, to coordinates of the window."""
        rows, columns = np.nonzero(np.isinf(self._depth))
        self._flow[rows, columns, 0] = from_grid(columns, self._grid.share[0])
        self._flow[rows, columns, 1] = from_grid(rows, self._grid.share[1])
