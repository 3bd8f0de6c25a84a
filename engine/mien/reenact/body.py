"""How the body's layer goes along with the head: the neck bends, and what it cannot bridge the body follows.

The upper end of the neck goes where the skull goes; below, it goes along less and less, down to the shoulders. The neck
gives way only so far: beyond that, and in a small part always, the whole body is shifted. It also grows and shrinks
with the head, less than the head does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.portrait.portrait import Layer, Portrait
from mien.posed import BodyFlow
from mien.reenact.target import Target
from mien.sums import smoothstep
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SKULL: Final = (0.0, 0.85, 0.1)
"""The canonical point that holds the neck's upper end."""
NECK: Final = 0.95
"""Eye distances from the chin downwards over which the neck goes along less and less."""
GIVES: Final = 0.45
"""How far the neck gives way at most, in eye distances: half its length, so that it never folds."""
BENDS: Final = 0.85
"""Share of a small movement that the neck takes up; the rest moves the body."""
GROWS: Final = 0.5
"""The body's scale is the head's to this power."""
ROUNDS: Final = 6
STEADY: Final = 1e-4
"""Change of scale below which it is none."""
LEAST: Final = 0.08
"""Pixels below which the body has not moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Sway:
    """Where the body is in one frame: scaled about an anchor, shifted, the neck bent."""

    anchor: Array
    scale: float
    way: Array
    """(2,): of the whole body, in pixels."""
    neck: Array
    """(2,): of the neck's upper end, beside that."""
    rows: tuple[float, float]
    """From where to where the neck goes along less and less."""

    def moved(self, points: Array) -> Array:
        """Points (N, 2) of the picture at rest, where they are now."""
        out = self.anchor + self.scale * (points - self.anchor) + self.way
        out += _share(points[:, 1], self.rows)[:, None] * self.neck
        return np.asarray(out)

    def near(self, other: Sway) -> bool:
        """Whether the body of another frame, of the same portrait, is in the same place."""
        apart = max(np.abs(self.way - other.way).max(), np.abs(self.neck - other.neck).max())
        return bool(apart < LEAST and abs(self.scale - other.scale) < STEADY)

    def flow(self, rows: slice, layer: Layer, out: Floats, threads: int = 1) -> None:
        """Fill `out` (h, W, 2): for rows of the picture, where to look in the layer."""
        ys, xs = np.arange(rows.start, rows.stop), np.arange(out.shape[1])
        (ax, ay), (nx, ny) = self.anchor, self.neck / self.scale
        level = ay + (ys - ay - self.way[1]) / self.scale
        there = level
        for _ in range(ROUNDS):
            there = level - _share(there, self.rows) * ny
        across = ax + (xs - ax - self.way[0]) / self.scale
        down = np.empty((len(ys), 2), np.float32)
        down[:, 0] = -layer.corner[0] - _share(there, self.rows) * nx
        down[:, 1] = there - layer.corner[1]
        ops.spread_flow(down, across.astype(np.float32), out, threads)


class Body:
    """The body of a portrait with layers, and a buffer for its flow."""

    def __init__(self, portrait: Portrait, layer: Layer, threads: int = 1) -> None:
        width, height = portrait.size
        unit, chin = portrait.pose.scale, float(portrait.landmarks[152, 1])
        self._layer, self._pose, self._unit = layer, portrait.pose, unit
        self._skull = portrait.pose.apply(np.array([SKULL]))[0, :2]
        self._rows = (chin, chin + NECK * unit)
        self._anchor = np.array([self._skull[0], max(self._rows[1], height - 1.0)])
        seen = np.flatnonzero(layer.alpha.max(axis=1) > 0)
        self._top = float(seen[0]) if len(seen) else float(height)
        self._flow = np.empty((height, width, 2), np.float32)
        self._shown: tuple[Sway, BodyFlow] | None = None
        self._threads = threads

    def sway(self, target: Target) -> Sway | None:
        """Where the body is for a target shape; None: where it was."""
        way = target.pose.apply(np.array([SKULL]))[0, :2] - self._skull
        scale = (target.pose.scale / self._pose.scale) ** GROWS
        way = way - (scale - 1) * (self._skull - self._anchor)
        if np.abs(way).max() < LEAST and abs(scale - 1) < STEADY:
            return None
        far = float(np.hypot(*way))
        most = GIVES * self._unit
        bent = way * (most * np.tanh(BENDS * far / most) / max(far, 1e-9))
        return Sway(self._anchor, scale, way - bent, bent, self._rows)

    def flow(self, sway: Sway) -> BodyFlow:
        """Its flow; the buffer is used again by the next call. The same object as before where nothing has moved."""
        if self._shown is not None and sway.near(self._shown[0]):
            return self._shown[1]
        height = len(self._flow)
        top = sway.moved(np.array([[self._anchor[0], self._top]]))[0, 1]
        first = int(np.clip(top - 2, 0, height - 1))
        rows = slice(first, height)
        sway.flow(rows, self._layer, self._flow[rows], self._threads)
        shown = BodyFlow(rows, self._flow[rows])
        self._shown = sway, shown
        return shown


def _share(rows: Array, between: tuple[float, float]) -> Array:
    """1 above, 0 below, smooth between."""
    return 1 - smoothstep(np.minimum(np.maximum((rows - between[0]) / (between[1] - between[0]), 0.0), 1.0))
