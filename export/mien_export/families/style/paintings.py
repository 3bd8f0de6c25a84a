"""Paintings that styles are learnt from: files, sizes, and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mien.errors import SettingError

NAMED: Final = {
    "scream": "the_scream.jpg",
    "wave": "wave.jpg",
    "starry-night": "starry_night.jpg",
    "udnie": "udnie.jpg",
    "shipwreck": "the_shipwreck_of_the_minotaur.jpg",
}
"""The shipped styles, and their files in a folder of paintings."""
BORDER: Final = 0.03
"""Share of each side that is cut off: frames, margins and the edges of scans are no style."""
LEAST: Final = 64
"""Pixels along the shorter side that a painting has at least."""


def read_painting(path: Path) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) RGB without the border.

    Raises:
        SettingError: it is missing, no picture, or too small.
    """
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise SettingError(f"{path}: expected a painting, got no readable picture ({error}); give a picture") from error
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise SettingError(f"{path}: expected a painting of at least {LEAST} pixels a side, got {width} x {height}")
    top, left = round(height * BORDER), round(width * BORDER)
    return pixels[top : height - top, left : width - left]


def read_paintings(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The shipped styles' paintings by name.

    Raises:
        SettingError: one of them is missing or no picture.
    """
    return {name: read_painting(folder / file) for name, file in NAMED.items()}


def with_short_side(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A painting whose shorter side has so many pixels."""
    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    size = (round(width * scale), round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=way), dtype=np.uint8)


FACES_MEAN: Final = np.array([0.497, 0.467, 0.529])
FACES_COVARIANCE: Final = np.array([[0.0547, 0.0318, 0.0127], [0.0318, 0.0309, 0.0306], [0.0127, 0.0306, 0.0594]])
"""Of colours in 0..1, red first, over the portraits that styles are learnt from: every eighth row and column of 200."""


def transfer_to(pixels: NDArray[np.uint8], contrast: float = 1.0) -> tuple[Tensor, Tensor]:
    """A (3, 3) and t (3) that give portraits' colours in 0..1 the mean and covariance of a painting's.

    In closed form, with symmetric square roots of the covariances (Gatys et al., "Controlling perceptual factors in
    neural style transfer", 2017, section 5.1).

    Args:
        contrast: factor of the painting's deviations from its mean.
    """
    colours = pixels.reshape(-1, 3) / 255.0
    root, _ = _roots(np.cov(colours.T))
    _, whitening = _roots(FACES_COVARIANCE)
    matrix = contrast * root @ whitening
    offset = colours.mean(0) - matrix @ FACES_MEAN
    return torch.from_numpy(matrix).float(), torch.from_numpy(offset).float()


def _roots(covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Square root of a covariance, and the inverse of that."""
    values, vectors = np.linalg.eigh(covariance + 1e-4 * np.eye(3))
    return (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T
