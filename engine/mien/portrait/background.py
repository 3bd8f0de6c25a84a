"""The picture without its person: push-pull filling (Gortler et al., The Lumigraph, 1996) of what the person covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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
    position = np.clip((np.arange(length) + 0.5) / 2 - 0.5, 0, image.shape[axis] - 1)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, image.shape[axis] - 1)
    share = (position - low).astype(np.float32)
    share = share[:, None, None] if axis == 0 else share[None, :, None]
    return np.asarray(image.take(low, axis) * (1 - share) + image.take(high, axis) * share)
