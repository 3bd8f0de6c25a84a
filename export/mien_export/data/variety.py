"""Data augmentation of training pictures: mirroring, colours, degradation, mouths, lids, occluders."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mien_export.data.eyelids import close_lids
from mien_export.data.occluders import occlude
from mien_export.data.open_mouth import MouthModel, edit_inner_mouth, open_mouth

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


SLEEPER: Final = 0.2
"""How often a portrait whose eyes are to be shut has them shut itself."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variety:
    """How often each change is made, 0..1."""

    opened: float = 0.25
    edited: float = 0.3
    shut: float = 0.2
    occluded: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Varied:
    """A training portrait under other circumstances, twice: what is to be painted, and what the source is made from."""

    truth: Pixels
    """(H, W, 3)."""
    landmarks: Array
    """(478, 3): of `truth`."""
    source: Pixels
    """The same, but for eyes that may be open where they are shut in `truth`, as a driver's blink finds a portrait."""
    source_landmarks: Array


def varied(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel | None, variety: Variety
) -> Varied:
    """A training portrait (H, W, 3) with landmarks (478, 3) under other circumstances; `model` renders open mouths.

    Raises:
        FaceError: the face is too small or turned away to be moved.
    """
    if model is not None and rng.random() < variety.opened:
        picture, landmarks = open_mouth(picture, landmarks, rng, model)
    elif rng.random() < variety.edited:
        picture = edit_inner_mouth(picture, landmarks, rng)
    source, source_landmarks = picture, landmarks
    if rng.random() < variety.shut:
        picture, landmarks = close_lids(picture, landmarks, rng)
        if rng.random() < SLEEPER:
            source, source_landmarks = picture, landmarks
    return _seen_alike(Varied(picture, landmarks, source, source_landmarks), rng, variety)


def _seen_alike(both: Varied, rng: np.random.Generator, variety: Variety) -> Varied:
    """Both pictures behind the same things, in the same light, through the same camera."""
    if both.truth is both.source:
        truth = _seen(both.truth, both.landmarks, rng, variety)
        return Varied(truth, both.landmarks, truth, both.landmarks)
    again = copy.deepcopy(rng)
    truth = _seen(both.truth, both.landmarks, rng, variety)
    source = _seen(both.source, both.landmarks, again, variety)  # laid by the same landmarks
    return Varied(truth, both.landmarks, source, both.source_landmarks)


def _seen(picture: Pixels, landmarks: Array, rng: np.random.Generator, variety: Variety) -> Pixels:
    if rng.random() < variety.occluded:
        picture, _ = occlude(picture, landmarks, rng)
    return augmented(picture, rng)
