"""Small sums over pixels and shares that several rooms need: brightness, means over squares, the smooth step."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue (ITU-R BT.601)."""

Floating = TypeVar("Floating", np.float32, np.float64)
Share = TypeVar("Share", float, NDArray[np.float32], NDArray[np.float64])


def luma(colours: NDArray[Floating], axis: Literal[0, -1] = -1) -> NDArray[Floating]:
    """(...) of colours (..., 3), or (3, ...) with `axis` 0, in their type and range.

    Not a product of matrices: BLAS would share one of a few thousand pixels among threads that then spin for 0.1 s
    each, on the processors that the model needs.
    """
    weights = np.array(LUMA, dtype=colours.dtype)
    return np.asarray(np.einsum("c...,c->..." if axis == 0 else "...c,c->...", colours, weights))


def smoothstep(share: Share) -> Share:
    """0..1 -> 0..1 with a soft start and end: 3 s^2 - 2 s^3."""
    given: Any = share
    smooth: Share = given * given * (3 - 2 * given)
    return smooth


def box_mean(image: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Means of (H, W) or (H, W, C) over squares of side 2 r + 1, edges repeated; r is `radius`, rounded, at least 1.

    Summed in float64: OpenCV's filter, which sums in float32, is not equal to the bit.
    """
    r = max(round(radius), 1)
    around = ((r + 1, r), (r + 1, r), (0, 0))[: image.ndim]
    out = np.pad(image.astype(np.float64), around, mode="edge").cumsum(axis=0).cumsum(axis=1)
    side = 2 * r + 1
    total = out[side:, side:] - out[:-side, side:] - out[side:, :-side] + out[:-side, :-side]
    return np.asarray(total / side**2, dtype=np.float32)
