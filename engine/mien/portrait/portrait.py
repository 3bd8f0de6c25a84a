"""A portrait: a picture prepared for animation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture with its face measured and its person cut out. Can be pickled; `digest` identifies it."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB: the picture at the size of the output."""
    landmarks: NDArray[np.float64]
    """(478, 3): x, y in pixels, z in the same scale."""
    pose: Similarity
    """From the canonical frame to the picture."""
    shape: NDArray[np.float64]
    """(478, 3): the landmarks un-posed: this person's face as it is in the picture."""
    rest: NDArray[np.float64]
    """(478, 3): `shape` with its mouth closed, jaw and chin along, to which motion is added."""
    relaxed: NDArray[np.float64]
    """(478, 3): `rest` with its smile, squint and raised brows taken out, too, as far as they are sure."""
    matte: NDArray[np.uint8] | None
    """(H, W): 255 where the person is, soft at the edge; None if no person was found; then
    the surroundings move along and fade."""
    background: NDArray[np.uint8] | None
    """(H, W, 3): the picture without the person, in-painted; None without a matte."""
    digest: str
    """SHA-256 of the picture's pixels, hexadecimal."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]
