"""The layers of a picture: the person's matte in one piece, and the background behind the person, in-painted.

In-painting is push-pull filling (Gortler et al., The Lumigraph, 1996).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien.plane import from_grid

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

CELLS = 256
"""Along the longer side: as fine as a segmentation is."""
HOLE = 0.5
"""Area in squared eye distances up to which a hole is an error; larger ones are gaps that show the background."""
CREVICE = 0.1
"""Half the width in eye distances of the crevices through which a hole may be open and yet count as one."""
SOFT = 4
"""Cells around the person in which its soft edge is kept."""


def one_person(person: Floats, landmarks: NDArray[np.float64]) -> Floats:
    """`person` (H, W) in 0..1 with only what hangs together with the face of `landmarks` (478, 2 or 3), holes shut.

    Where no landmark lies on a person, `person` comes back as it is.
    """
    stride = max(-(-max(person.shape) // CELLS), 1)
    inside = person[::stride, ::stride] > 0.5
    own = _flood(_cells(landmarks, stride, inside.shape) & inside, inside)
    if not own.any():
        return person
    eyes = eye_distance(landmarks) / stride
    reach = max(round(CREVICE * eyes), 1)
    shut = own | _grown(_small_holes(_grown(own, reach), HOLE * eyes**2), reach + 1)
    kept = np.where(_enlarged(_grown(shut, SOFT), stride, person.shape), person, 0.0)
    return np.where(_enlarged(shut & ~own, stride, person.shape), 1.0, kept).astype(np.float32)


def _cells(landmarks: NDArray[np.float64], stride: int, shape: tuple[int, ...]) -> Bits:
    out = np.zeros(shape, bool)
    x, y = (landmarks[:, :2] / stride).astype(np.int64).T
    seen = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    out[y[seen], x[seen]] = True
    return out


def _small_holes(own: Bits, largest: float) -> Bits:
    """Cells that `own` encloses, but for those of holes with more than `largest` cells."""
    rim = np.ones_like(own)
    rim[1:-1, 1:-1] = False
    left = ~own & ~_flood(rim & ~own, ~own)
    out = np.zeros_like(own)
    while left.any():
        seed = np.zeros_like(own)
        seed.flat[int(left.argmax())] = True
        hole = _flood(seed, left)
        left &= ~hole
        if hole.sum() <= largest:
            out |= hole
    return out


def _flood(seeds: Bits, within: Bits) -> Bits:
    """All cells of `within` that hang together with `seeds`, over edges."""
    reached = seeds
    while True:
        further = _grown(reached) & within
        if (further == reached).all():
            return reached
        reached = further


def _grown(cells: Bits, steps: int = 1) -> Bits:
    for _ in range(steps):
        out = cells.copy()
        out[1:] |= cells[:-1]
        out[:-1] |= cells[1:]
        out[:, 1:] |= cells[:, :-1]
        out[:, :-1] |= cells[:, 1:]
        cells = out
    return cells


def _enlarged(cells: Bits, stride: int, shape: tuple[int, ...]) -> Bits:
    return cells.repeat(stride, axis=0).repeat(stride, axis=1)[: shape[0], : shape[1]]


def fill(pixels: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """`pixels` (H, W, 3) with every place where `known` (H, W) is false filled smoothly from the known ones around.

    A picture of which nothing is known comes back as it is.
    """
    if not known.any():
        return pixels.copy()
    weight = known.astype(np.float32)[..., None]
    filled = _pull(pixels.astype(np.float32) * weight, weight)
    out = np.where(known[..., None], pixels, np.clip(np.rint(filled), 0, 255).astype(np.uint8))
    return np.ascontiguousarray(out)


def _pull(colour: Floats, weight: Floats) -> Floats:
    """Colours (H, W, 3) where `colour` is premultiplied by `weight` (H, W, 1) in 0..1."""
    height, width = weight.shape[:2]
    if min(height, width) <= 1 or weight.min() > 0:
        total = np.maximum(weight, 1e-6)
        mean = colour.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight > 1e-6, colour / total, mean).astype(np.float32)
    sums, weights = _halve(colour), _halve(weight)
    full = np.maximum(weights, 1.0)
    below = _double(_pull(sums / full, weights / full), height, width)
    return np.asarray(colour + (1 - weight) * below, dtype=np.float32)


def _halve(image: Floats) -> Floats:
    """Sum of 2 x 2 blocks, edges repeated on odd sizes; sums let a single known pixel speak for its block."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2, -1).sum(axis=(1, 3))
    return np.asarray(blocks)


def _double(image: Floats, height: int, width: int) -> Floats:
    """Bilinear enlargement by two, cut to (height, width)."""
    return _stretch(_stretch(image, height, 0), width, 1)


def _stretch(image: Floats, length: int, axis: int) -> Floats:
    position = np.clip(from_grid(np.arange(length), 2), 0, image.shape[axis] - 1)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, image.shape[axis] - 1)
    share = (position - low).astype(np.float32)
    share = share[:, None, None] if axis == 0 else share[None, :, None]
    return np.asarray(image.take(low, axis) * (1 - share) + image.take(high, axis) * share)
