"""Two pictures compared: difference, SSIM, gradients, fine structure. The second one is the truth."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.sums import LUMA

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SCALES: Final = 3
"""Of the SSIM map: the picture, its half and its quarter."""
WINDOW_SIGMA, WINDOW_REACH = 1.5, 5
"""Of SSIM's Gaussian window, in pixels of each scale (Wang et al. 2004)."""
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
GRADIENT_C = 170.0
"""Steadies the similarity of small gradients, in squared grey levels (Xue et al. 2014)."""
FINE_SIGMA = 1.0
"""Pixels: what a Gaussian of this width takes away is fine structure and grain."""
FLOOR = 0.25
"""Squared grey levels, about what rounding to whole ones leaves; keeps ratios of flat regions finite."""
LEAST: Final = 12.0
"""Pixels below which a region is not there: closed lips show no mouth."""


def luma(pixels: Pixels) -> Floats:
    """(H, W) in 0..255 of a picture (H, W, 3)."""
    return np.asarray(pixels.astype(np.float32) @ np.array(LUMA, np.float32))


def difference(made: Pixels, truth: Pixels) -> Floats:
    """(H, W): mean magnitude of the difference over the channels, in grey levels 0..255."""
    return np.asarray(np.abs(made.astype(np.float32) - truth).mean(axis=2))


def squared_difference(made: Pixels, truth: Pixels) -> Floats:
    """(H, W): mean squared difference over the channels, in squared grey levels."""
    return np.asarray(((made.astype(np.float32) - truth) ** 2).mean(axis=2))


def structure(made: Pixels, truth: Pixels) -> Floats:
    """(H, W): SSIM of the luma in -1..1, the mean over three scales of the map at each; sides divisible by 4.

    Unlike MS-SSIM, which multiplies one number per scale, it stays a map, so that regions can be told apart.
    """
    a, b = luma(made), luma(truth)
    total = np.zeros_like(a)
    for scale in range(SCALES):
        total += np.kron(_ssim(a, b), np.ones((1 << scale, 1 << scale), np.float32))
        a, b = _halved(a), _halved(b)
    return np.asarray(total / SCALES)


def gradient_similarity(made: Pixels, truth: Pixels) -> Floats:
    """(H, W) in 0..1: how alike the gradient magnitudes of the lumas are, (2ab + c) / (a^2 + b^2 + c); Xue et al.

    ("Gradient magnitude similarity deviation", 2014), with Prewitt's gradients at full resolution.
    """
    a, b = _gradient(luma(made)), _gradient(luma(truth))
    return np.asarray((2 * a * b + GRADIENT_C) / (a * a + b * b + GRADIENT_C))


def blurred(values: Floats, sigma: float) -> Floats:
    """(H, W) through a Gaussian with `sigma` in pixels, edges reflected."""
    reach = max(round(sigma * WINDOW_REACH / WINDOW_SIGMA), 1)
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-(steps**2) / (2 * sigma**2)).astype(np.float32)
    kernel /= kernel.sum()
    return _along(_along(values, kernel, 0), kernel, 1)


def fine_energy(pixels: Pixels) -> Floats:
    """(H, W): energy of the luma's fine structure in squared grey levels."""
    values = luma(pixels)
    return np.asarray((values - blurred(values, FINE_SIGMA)) ** 2)


def detail(made: Pixels, truth: Pixels, regions: Floats) -> Array:
    """(6,): octaves of fine energy that `made` has above `truth` in each region; 0 is as much, -1 is half."""
    ours, theirs = averages(fine_energy(made), regions), averages(fine_energy(truth), regions)
    return np.asarray(np.log2((ours + FLOOR) / (theirs + FLOOR)))


def averages(values: Floats, regions: Floats) -> Array:
    """(6,): the mean of a map (side, side) over each region, NaN where the region is too small."""
    sizes = regions.sum(axis=(1, 2), dtype=np.float64)
    sums = np.tensordot(regions, values, axes=([1, 2], [0, 1])).astype(np.float64)
    return np.where(sizes >= LEAST, sums / np.maximum(sizes, LEAST), np.nan)


def _ssim(a: Floats, b: Floats) -> Floats:
    mean_a, mean_b = blurred(a, WINDOW_SIGMA), blurred(b, WINDOW_SIGMA)
    var_a = blurred(a * a, WINDOW_SIGMA) - mean_a**2
    var_b = blurred(b * b, WINDOW_SIGMA) - mean_b**2
    both = blurred(a * b, WINDOW_SIGMA) - mean_a * mean_b
    over = (2 * mean_a * mean_b + SSIM_C1) * (2 * both + SSIM_C2)
    under = (mean_a**2 + mean_b**2 + SSIM_C1) * (var_a + var_b + SSIM_C2)
    return np.asarray(over / under, dtype=np.float32)


def _halved(values: Floats) -> Floats:
    height, width = values.shape
    return np.asarray(values.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))


def _gradient(values: Floats) -> Floats:
    smooth, slope = np.ones(3, np.float32) / 3, np.array([-1, 0, 1], np.float32)
    return np.hypot(_along(_along(values, slope, 1), smooth, 0), _along(_along(values, slope, 0), smooth, 1))


def _along(values: Floats, kernel: Floats, axis: int) -> Floats:
    """Correlation with an odd kernel along one axis, edges reflected."""
    reach = len(kernel) // 2
    padded = np.pad(values, [(reach, reach) if i == axis else (0, 0) for i in range(2)], mode="reflect")
    length = values.shape[axis]
    parts = (padded.take(range(i, i + length), axis) * weight for i, weight in enumerate(kernel))
    return np.asarray(sum(parts), dtype=np.float32)
