"""A portrait: a picture prepared for animation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A part of the picture that moves by itself. It may reach beyond the picture, where it is continued."""

    pixels: NDArray[np.uint8]
    """(h, w, 3): the part's own colours, also where other parts are mixed in at its edge or lie before it."""
    alpha: NDArray[np.uint8]
    """(h, w): 255 where the part covers all that lies behind, soft at its edge."""
    corner: tuple[int, int]
    """x and y of its first pixel in pixels of the picture; negative to the left of and above the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A picture taken apart. The body laid over the background, and the head over both, give the picture."""

    background: NDArray[np.uint8]
    """(H, W, 3): in-painted where the person is."""
    body: Layer
    """Neck, cloth and necklace; the neck is continued behind the head, cloth behind hair."""
    head: Layer
    """Face, ears, hair, hat, glasses, earrings, and the shadow of the chin."""
    reach: NDArray[np.float64]
    """(36,): distance of the head's outline from the middle of the face contour, as a multiple of the contour's, in
    the direction of each of its points (`mien.face.topology.OVAL`)."""


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
    layers: Layers | None = None
    """Head, body and background; None where the picture could not be taken apart: without a matte or the segmenter.
    Then the surroundings of the face are one piece that follows the head less the farther it lies away."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]
