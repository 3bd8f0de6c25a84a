"""What flows from `reenact` to `paint`, `fuse` and `smooth`: a portrait posed for one frame, and what is painted of it.

Nothing of the driver's shape is in it, and of the driver's pixels nothing but the mouth hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.face.face import MouthHint
from mien.face.pose import Similarity
from mien.plane import Affine, Box
from mien.portrait.portrait import Portrait

PaintLevel = Literal["full", "carry", "off"]
"""What the network does for a frame: paint it, nothing but carry its last painting on to the new shape, or nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A portrait's geometry in one frame, computed once. `flow` is valid until the next frame is posed."""

    portrait: Portrait
    window: Box
    """The part of the picture that can move."""
    pose: Similarity
    """The head's: from the canonical frame to the portrait's picture."""
    landmarks: NDArray[np.float64]
    """(478, 3): the target shape in pixels of the portrait's picture."""
    vertices: NDArray[np.float32]
    """(V, 3): the target mesh in pixels of the portrait's picture."""
    in_window: NDArray[np.float32]
    """(V, 3): the same in pixels of the window."""
    texture: NDArray[np.float32]
    """(V, 2): texture coordinates: where in the portrait's picture each vertex takes its colour from, in pixels."""
    triangles: NDArray[np.int32]
    """(T, 3): of the mesh."""
    flow: NDArray[np.float32]
    """(h, w, 2): for each place of the window, at a resolution of its own, the absolute position in the window of the
    portrait's picture that comes there."""
    weight: float = 1.0
    """Share of this picture in the frame, where several pictures of one person answer."""
    hint: MouthHint | None = None
    shot: int = 0
    """Of the driver."""


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """What a network painted of the moving face's crop, in arrays of its own."""

    generated: NDArray[np.uint8]
    """(h, w, 3)."""
    mask: NDArray[np.float32]
    """(h, w) in 0..1: 1 keeps the warped portrait, 0 takes the painted picture."""
    matrix: Affine
    """From pixels of the portrait's picture to those of the painting."""
