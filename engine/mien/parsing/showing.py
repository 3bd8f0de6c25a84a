"""Label maps as pictures: in the colours of their classes, or laid over what they are of."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.classes import BACKGROUND, CLASSES

Pixels = NDArray[np.uint8]

PALETTE: Final = np.array([found.colour for found in CLASSES], dtype=np.uint8)
"""(19, 3): colours of the classes."""
OPACITY: Final = 0.5
"""Of the colours over a picture."""


def coloured(labels: Pixels) -> Pixels:
    """(H, W, 3): `labels` (H, W) in the colours of their classes."""
    return PALETTE[labels]


def overlaid(labels: Pixels, picture: Pixels) -> Pixels:
    """`picture` (H, W, 3) with the colours of `labels` (H, W) half over it; the background stays as it is."""
    mixed = _TABLE[0][picture] + _TABLE[1][PALETTE[labels]]
    return np.where((labels == BACKGROUND)[..., None], picture, mixed)


_TABLE: Final = (
    np.rint(np.arange(256) * (1 - OPACITY)).astype(np.uint8),
    np.floor(np.arange(256) * OPACITY).astype(np.uint8),
)
"""Shares of the picture and of the colours, by value; they add up to at most 255."""
