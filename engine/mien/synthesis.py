"""What `reenact` hands to `fuse`: where everything of the portrait goes, and nothing of the driver's shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.face import MouthHint
from mien.portrait.portrait import Portrait


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the picture that can move, in whole pixels."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.x1 - self.x0, self.y1 - self.y0

    @property
    def corner(self) -> NDArray[np.float64]:
        """(2,): x0, y0."""
        return np.array([self.x0, self.y0], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """What a generator sees of the moving face's crop, painted."""

    generated: NDArray[np.uint8]
    """(h, w, 3)."""
    mask: NDArray[np.float32]
    """(h, w) in 0..1: 1 keeps the warped portrait, 0 takes the painted picture."""
    matrix: NDArray[np.float64]
    """(2, 3): from pixels of the portrait's picture to those of the painting."""


@dataclass(frozen=True, slots=True, eq=False)
class Synthesis:
    """One frame to be fused. Arrays may be reused by the stage that made them once the next frame is made."""

    portrait: Portrait
    window: Window
    landmarks: NDArray[np.float64]
    """(478, 3): the target shape in pixels of the portrait's picture."""
    vertices: NDArray[np.float32]
    """(V, 3): the target mesh in pixels of the window."""
    triangles: NDArray[np.int32]
    """(T, 3): of the mesh."""
    flow: NDArray[np.float32]
    """(h, w, 2): for each place of the window, at a resolution of its own, the absolute position in the window of the
    portrait's picture that comes there."""
    weight: float = 1.0
    """Share of this synthesis in the frame, where several pictures of one person answer."""
    hint: MouthHint | None = None
    painting: Painting | None = None
    """What a generator painted; None where none runs."""
    shot: int = 0
    """Of the driver."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """A fused frame on its way to smoothing, with the syntheses that it was made of."""

    pixels: NDArray[np.uint8]
    """(H, W, 3), its own."""
    syntheses: tuple[Synthesis, ...]
