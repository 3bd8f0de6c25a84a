"""Stage `smooth`: blends each frame with the previous output, warped by the flow between the two target shapes.

Causal. Where the warped and the new picture differ (an opening mouth, a turning eye, an uncovered area), and the more
the faster things move, the new picture counts alone, so nothing trails.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.plane import Grid
from mien.posed import Posed
from mien_kernels import ops

COARSE = 4
"""The flow between two frames is rasterised at one place in so many pixels each way."""
THRESHOLD = 20.0
"""Difference in grey levels at which the previous frame no longer counts."""
STILL = 0.02
"""Pixels below which nothing has moved: rasterising is no more exact."""
CALM = 0.75
"""Motion in pixels of a 512 px picture at which the previous frame counts half: carrying a picture along blurs it."""


class Smooth:
    """Callable (fused frame, the posed portraits in it) -> pixels (H, W, 3 or 4), which are read again for the next."""

    def __init__(self, strength: float, threads: int = 1) -> None:
        self._strength = strength
        self._threads = threads
        self._before: tuple[Posed, NDArray[np.uint8]] | None = None
        self._flows: dict[str, _Carry] = {}

    def emptied(self) -> Smooth:
        """Another one with these settings, for other portraits."""
        return Smooth(self._strength, self._threads)

    def __call__(self, pixels: NDArray[np.uint8], posed: tuple[Posed, ...]) -> NDArray[np.uint8]:
        if self._strength <= 0:
            return pixels
        most = max(posed, key=lambda one: one.weight)
        if self._before is not None and _goes_on(self._before[0], most):
            pixels = self._blend(pixels, most, *self._before)
        self._before = (most, pixels)
        return pixels

    def _blend(
        self, pixels: NDArray[np.uint8], now: Posed, then: Posed, previous: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        key = now.portrait.digest
        if key not in self._flows:
            self._flows[key] = _Carry(now, self._threads)
        flow, weight = self._flows[key].between(now, then)
        out = np.empty_like(pixels)
        ops.temporal_blend(pixels, previous, flow, out, self._strength, THRESHOLD, weight=weight, threads=self._threads)
        return out


def _goes_on(then: Posed, now: Posed) -> bool:
    """Whether two frames are of one picture and of one shot."""
    return then.portrait.digest == now.portrait.digest and then.shot == now.shot


class _Carry:
    """The flow from one frame's target shape to another's over the whole picture, coarse."""

    def __init__(self, posed: Posed, threads: int) -> None:
        width, height = posed.portrait.size
        shape = (max(height // COARSE, 1), max(width // COARSE, 1))
        self._grid = Grid((width, height), shape)
        self._flow = np.empty((*shape, 2), np.float32)
        self._depth = np.empty(shape, np.float32)
        self._weight = np.empty(shape, np.float32)
        self._calm = CALM * max(width, height) / 512
        self._threads = threads

    def between(self, now: Posed, then: Posed) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Flow (h, w, 2) in pixels of the picture and how far it is to be followed (h, w), in 0..1; until the next."""
        target = now.vertices.copy()
        target[:, :2] = self._grid.cells(target[:, :2])
        source = np.ascontiguousarray(then.vertices[:, :2])
        triangles = now.triangles if now.shown is None else now.shown
        ops.rasterize_flow(target, source, triangles, out=self._flow, depth=self._depth, threads=self._threads)
        share = (float(self._grid.share[0]), float(self._grid.share[1]))
        ops.weigh_flow(self._flow, self._depth, share, self._weight, STILL, self._calm, self._threads)
        return self._flow, self._weight
