"""Cameras, lamps and paint: what makes a studio portrait look like what users bring."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]


def augmented(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """`picture` (H, W, 3) under other light, through another lens and codec; alike for source and target."""
    out = _light(_colour(picture.astype(np.float32) / 255, rng), rng)
    image = Image.fromarray(np.asarray(np.clip(out * 255 + 0.5, 0, 255), dtype=np.uint8))
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.3))))
    if rng.random() < 0.06:
        image = image.filter(ImageFilter.MedianFilter(5))  # flat patches with hard edges, as brushes leave them
    pixels: Pixels = np.asarray(image, dtype=np.uint8)
    if rng.random() < 0.3:
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(1, 7))
        pixels = np.asarray(np.clip(pixels + noise, 0, 255), dtype=np.uint8)
    return _compressed(pixels, rng) if rng.random() < 0.25 else pixels


def mirrored(picture: Pixels) -> Pixels:
    """Left and right exchanged."""
    return np.ascontiguousarray(picture[:, ::-1])


def _colour(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    values = values ** np.float32(np.exp(rng.normal(0, 0.2)))
    values = values * np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.06 else float(np.exp(rng.normal(0, 0.25)))
    values = grey + (values - grey) * np.float32(saturation)
    middle = np.float32(values.mean())
    return middle + (values - middle) * np.float32(np.exp(rng.normal(0, 0.12))) + np.float32(rng.normal(0, 0.04))


def _light(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A lamp from one side."""
    if rng.random() < 0.6:
        return values
    height, width = values.shape[:2]
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    ramp = np.float32(np.cos(angle)) * x[None] + np.float32(np.sin(angle)) * y[:, None]
    return values * (1 + np.float32(strength) * ramp)[..., None]


def _compressed(picture: Pixels, rng: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(rng.integers(35, 90)))
    return np.asarray(Image.open(buffer).convert("RGB"))
