"""The values between `reenact`, `paint`, `fuse` and `smooth`: the posed portrait and the painting.

Of the driver's pixels they hold nothing but the mouth hint. The driver's face shape is not in them, except with
`--motion absolute`, where the target landmarks are the driver's own.
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
"""What the network does for a frame: paint it, only warp its last painting to the new shape, or nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyFlow:
    """Where the body's layer is in one frame. Valid until the next frame is posed."""

    rows: slice
    """Of the picture, in which there is anything of it."""
    flow: NDArray[np.float32]
    """(h, W, 2): backward flow of these rows, in pixels of the layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """Geometry of a portrait in one frame, computed once. `flow` is valid until the next frame is posed."""

    portrait: Portrait
    window: Box
    """The part of the picture that the flow is for: all that can move, or, with layers, where the head is."""
    pose: Similarity
    """The head's: from the canonical frame to the portrait's picture."""
    landmarks: NDArray[np.float64]
    """(478, 3): the target shape in pixels of the portrait's picture."""
    vertices: NDArray[np.float32]
    """(V, 3): the target mesh in pixels of the portrait's picture."""
    in_window: NDArray[np.float32]
    """(V, 3): the same in pixels of the window."""
    texture: NDArray[np.float32]
    """(V, 2): texture coordinates in pixels of the portrait's picture."""
    triangles: NDArray[np.int32]
    """(T, 3): of the mesh."""
    flow: NDArray[np.float32]
    """(h, w, 2): backward flow at a resolution of its own: absolute positions in what is warped. That is the head's
    layer, in its pixels, or, of a portrait without layers, the portrait's picture, in pixels of the window."""
    weight: float = 1.0
    """Weight of this picture in the frame, if several pictures are cross-faded."""
    hint: MouthHint | None = None
    shot: int = 0
    """Of the driver."""
    shown: NDArray[np.int32] | None = None
    """(S, 3): the triangles that show the head's layer; None: without layers all show something."""
    body: BodyFlow | None = None
    """Where the body's layer has gone; None: nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """The network's output for one frame: picture, fusion mask, and their position in the portrait."""

    generated: NDArray[np.uint8]
    """(h, w, 3)."""
    mask: NDArray[np.float32]
    """(h, w) in 0..1: 1 keeps the warped portrait, 0 takes the painted picture."""
    matrix: Affine
    """From pixels of the portrait's picture to those of the painting."""
