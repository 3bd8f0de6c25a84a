"""Pictures and landmarks turned by quarters: a phone held sideways, a camera mounted upside down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""(width, height) in pixels."""

QUARTERS = (0, 1, 2, 3)
"""By how many quarters a picture is turned counter-clockwise, as `numpy.rot90` counts them."""


def turned_pixels(pixels: Pixels, turn: int) -> Pixels:
    """`pixels` (H, W, C) turned counter-clockwise by `turn` quarters, contiguous; itself where there is none."""
    return pixels if turn == 0 else np.ascontiguousarray(np.rot90(pixels, turn))


def turned_size(size: Size, turn: int) -> Size:
    """The size of a picture of `size` once turned."""
    return size if turn % 2 == 0 else (size[1], size[0])


def turned_points(points: Array, size: Size, turn: int) -> Array:
    """Points (N, 3) of a picture of `size` where the picture turned by `turn` quarters shows them; z stays."""
    if turn == 0:
        return points
    x, y, z = points.T
    right, bottom = size[0] - 1, size[1] - 1
    across, down = ((y, right - x), (right - x, bottom - y), (bottom - y, x))[turn - 1]
    return np.stack([across, down, z], axis=1)


def turned_back(points: Array, size: Size, turn: int) -> Array:
    """The inverse of `turned_points`: `size` is that of the picture before it was turned."""
    return turned_points(points, turned_size(size, turn), -turn % 4)


def quarters_of(landmarks: Array) -> int:
    """How often a picture is to be turned so that a face of landmarks (478, 2 or 3) stands as upright as can be."""
    across = landmarks[263, :2] - landmarks[33, :2]
    return int(np.rint(np.arctan2(across[1], across[0]) / (np.pi / 2))) % 4
