"""The plane of a picture: boxes of whole pixels, affine maps, and grids that are coarser than the pixels.

Pixel (0, 0) has its middle at the position (0, 0), so that a picture reaches from -0.5 to its width - 0.5; where a
grid of another resolution lies over it, the halves are what its positions are shifted by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Affine = NDArray[np.float64]
"""(2, 3): a map between the positions of two pictures, (x, y) -> matrix @ (x, y, 1)."""
Bounds = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels, as detectors give them."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, width: int, height: int) -> Box:
        """All of a picture of this size."""
        return cls(0, 0, width, height)

    @classmethod
    def between(cls, x0: int, y0: int, x1: int, y1: int) -> Box:
        """From its first column and row to those behind its last ones."""
        return cls(x0, y0, x1 - x0, y1 - y0)

    @classmethod
    def around(cls, points: Array, margin: int, width: int, height: int) -> Box | None:
        """Around points (N, 2) with a margin, within a picture of this size; None where they lie outside of it."""
        plane = np.ascontiguousarray(points.T)  # extremes along rows are found several times as fast
        (left, top), (right, bottom) = plane.min(axis=1).tolist(), plane.max(axis=1).tolist()
        x0, y0 = max(floor(left) - margin, 0), max(floor(top) - margin, 0)
        x1, y1 = min(ceil(right) + margin + 1, width), min(ceil(bottom) + margin + 1, height)
        return cls(x0, y0, x1 - x0, y1 - y0) if x1 - x0 > 1 and y1 - y0 > 1 else None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.width, self.height

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), as of arrays."""
        return self.height, self.width

    @property
    def corner(self) -> Array:
        """(2,): the position of its first pixel."""
        return np.array([self.x, self.y], dtype=np.float64)

    @property
    def right(self) -> int:
        """The column behind its last one."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The row behind its last one."""
        return self.y + self.height

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns, to index arrays by."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def part(self, inner: Box, grown: int = 0) -> Box:
        """`inner`, a box of this box's own pixels, grown on all sides, in the picture that this box is of."""
        return Box(
            self.x + inner.x - grown, self.y + inner.y - grown, inner.width + 2 * grown, inner.height + 2 * grown
        )


def inverse(matrix: Affine) -> Affine:
    """The map back; the matrix must have one."""
    (a, b, _), (c, d, _) = matrix.tolist()
    back = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
    return np.column_stack([back, -back @ matrix[:, 2]])


def placed(points: Array, matrix: Affine) -> Array:
    """Points (N, 2 or 3) under a map: x and y mapped, z scaled alike."""
    plane = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    if points.shape[1] == 2:
        return np.asarray(plane)
    (a, b, _), (c, d, _) = matrix.tolist()
    out = np.empty((len(points), 3))
    out[:, :2] = plane
    np.multiply(points[:, 2], math.sqrt(abs(a * d - b * c)), out=out[:, 2])
    return out


def from_box(matrix: Affine, box: Box) -> Affine:
    """The map of positions in a box, for the one of positions in the picture that the box is of."""
    out = matrix.copy()
    out[:, 2] += out[:, :2] @ box.corner
    return out


def into_box(matrix: Affine, box: Box) -> Affine:
    """The map to positions in a box, for the one to positions in the picture that the box is of."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] - (box.x, box.y)])


def coarser(matrix: Affine, times: float) -> Affine:
    """The map to a grid so many times as coarse as the picture that `matrix` maps to; below 1 it is finer."""
    out = np.array(matrix, dtype=np.float64) / times
    out[:, 2] += 0.5 / times - 0.5
    return out


def to_grid(positions: Any, share: Any) -> Any:
    """Positions in a picture, or one of them, in a grid of `share` cells to a pixel; in their own type."""
    return (positions + 0.5) * share - 0.5


def from_grid(positions: Any, share: Any) -> Any:
    """The inverse of `to_grid`."""
    return (positions + 0.5) / share - 0.5


class Grid:
    """A grid of `shape` (rows, columns) over a picture of `size` (width, height)."""

    def __init__(self, size: tuple[int, int], shape: tuple[int, int], depth: float = 1.0) -> None:
        """`depth`: by which share depths are scaled where positions have three coordinates."""
        self.shape = shape
        self.share = np.array([shape[1] / size[0], shape[0] / size[1], depth], dtype=np.float32)
        """(3,): cells to a pixel, along x and y, and the share of depth."""

    def cells(self, positions: Floats) -> Floats:
        """Positions (N, 2 or 3) of the picture in those of the grid."""
        cells: Floats = to_grid(positions, self.share[: positions.shape[1]])
        return cells

    def places(self) -> Floats:
        """(rows, columns, 2): the position in the picture of each cell's middle."""
        ys, xs = np.mgrid[0 : self.shape[0], 0 : self.shape[1]].astype(np.float32)
        places: Floats = from_grid(np.stack([xs, ys], axis=-1), self.share[:2])
        return places
