"""Brightness of colours."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue (ITU-R BT.601)."""

Floating = TypeVar("Floating", np.float32, np.float64)


def luma(colours: NDArray[Floating]) -> NDArray[Floating]:
    """(...) of colours (..., 3), in their type and range.

    Not a product of matrices: BLAS would share one of a few thousand pixels among threads that then spin for 0.1 s
    each, on the processors that the model needs.
    """
    weights = np.array(LUMA, dtype=colours.dtype)
    return np.asarray(np.einsum("...c,c->...", colours, weights))
