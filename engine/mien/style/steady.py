"""Strokes of a painted patch that keep from frame to frame: a running mean along the mesh's own motion.

The network draws the patch anew in every frame, and strokes of such frames differ by more than the skin does. The mean
is taken over strokes, on their coarse grid, so colours stay sharp; where the painted pictures differ, as in a mouth
that opens, the new strokes count alone.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.plane import Affine, placed
from mien.posed import Posed
from mien_kernels import ops

Floats = NDArray[np.float32]

KEPT: Final = 0.7
"""Weight of the strokes before, where the painted pictures are the same."""
UNLIKE: Final = 0.2
"""Difference of colours in -1..1 from which on the strokes before count nothing."""


class SteadyStrokes:
    """Callable for one portrait: strokes of a frame -> strokes near those of the frame before."""

    def __init__(self) -> None:
        self._before: tuple[Posed, Floats, Floats, Floats] | None = None
        """The latest frame, its vertices in cells, what was seen there, and its strokes."""

    def __call__(self, strokes: Floats, seen: Floats, into: Affine, posed: Posed) -> Floats:
        """(h, w, 3): strokes of a frame, in an array of their own. After a cut they count alone.

        Args:
            strokes: (3, h, w), as the network gave them.
            seen: (3, 2 h, 2 w) in -1..1, what it saw.
            into: from pixels of the portrait's picture to cells of strokes.
            posed: the frame.
        """
        new, now = np.ascontiguousarray(strokes.transpose(1, 2, 0)), _means(seen)
        vertices = placed(posed.vertices.astype(np.float64), into).astype(np.float32)
        if self._before is not None:
            then, source, picture, old = self._before
            if then.shot == posed.shot and then.portrait.digest == posed.portrait.digest and old.shape == new.shape:
                _blend(new, now, old, picture, _flow(vertices, source, posed.triangles, new.shape[:2]))
        self._before = posed, np.ascontiguousarray(vertices[:, :2]), now, new
        return new


def _means(seen: Floats) -> Floats:
    """(h, w, 3): what each cell of strokes saw."""
    cells = seen[:, ::2, ::2] + seen[:, 1::2, ::2]
    cells += seen[:, ::2, 1::2]
    cells += seen[:, 1::2, 1::2]
    cells *= np.float32(0.25)
    return np.ascontiguousarray(cells.transpose(1, 2, 0))


def _flow(now: Floats, then: Floats, triangles: NDArray[np.int32], shape: tuple[int, ...]) -> Floats:
    """(h, w, 2): where each cell was; where it lies beyond the mesh, where it is."""
    height, width = shape
    flow, depth = ops.rasterize_flow(now, then, triangles, size=(height, width))
    beyond = np.isinf(depth)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    np.copyto(flow[..., 0], x, where=beyond)
    np.copyto(flow[..., 1], y, where=beyond)
    return flow


def _blend(new: Floats, now: Floats, old: Floats, then: Floats, flow: Floats) -> None:
    """Mix what was before into `new`."""
    x, y = np.ascontiguousarray(flow[..., 0]), np.ascontiguousarray(flow[..., 1])
    edges = cv2.BORDER_REPLICATE
    carried = cv2.remap(old, x, y, cv2.INTER_LINEAR, borderMode=edges)
    apart = cv2.absdiff(cv2.remap(then, x, y, cv2.INTER_LINEAR, borderMode=edges), now)
    most = np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2])
    share = np.float32(KEPT) - most * np.float32(KEPT / UNLIKE)
    np.maximum(share, 0, out=share)
    carried -= new
    carried *= share[..., None]
    new += carried
