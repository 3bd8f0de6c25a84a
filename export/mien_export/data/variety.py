"""Data augmentation of training pictures: mirroring, colours, degradation, mouths, lids, occluders.

A pair's truth and its source may show different mouths of one person: a driver closes the mouth of a laughing portrait,
or opens one that is closed. One of the two is then the photograph, the other is rendered from it.
"""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mien_export.data.eyelids import close_lids
from mien_export.data.hint import opening
from mien_export.data.occluders import occlude
from mien_export.data.open_mouth import MouthModel, edit_inner_mouth, open_mouth
from mien_export.data.pairs import prepared, render
from mien_export.data.perturb import narrowed

Array = NDArray[np.float64]
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
    values = values * (np.exp(rng.normal(0, 0.07, 3)) * _cast(rng)).astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.06 else float(np.exp(rng.normal(0, 0.25)))
    values = grey + (values - grey) * np.float32(saturation)
    middle = np.float32(values.mean())
    return middle + (values - middle) * np.float32(np.exp(rng.normal(0, 0.12))) + np.float32(rng.normal(0, 0.04))


def _cast(rng: np.random.Generator) -> Array:
    """(3,): one time in four the colour of a lamp or of old varnish, warmer the more often."""
    warm = rng.normal(0.12, 0.16) if rng.random() < 0.25 else 0.0
    return np.asarray(np.exp(np.array([warm, 0.0, -1.3 * warm])))


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
SHUT: Final = 0.03
"""Gap of the lips in mouth widths up to which a photograph's mouth counts as shut."""
FROM_SHUT: Final = 0.6
"""How often a mouth that is rendered open is asked of the photograph with its lips shut, if they are."""


@dataclass(frozen=True, slots=True)
class Variety:
    """How often each change is made, 0..1."""

    opened: float = 0.25
    """The truth's mouth is rendered wide open."""
    closing: float = 0.25
    """The source's mouth is rendered wide open, the truth is a photograph with its lips shut."""
    pursed: float = 0.25
    """Of photographs with their lips shut: truth or source has them pursed."""
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
    """The same person, whose eyes or mouth may be open where they are shut in `truth`, or the other way round."""
    source_landmarks: Array
    mouth_kept: bool = False
    """Whether the source keeps its mouth as it is here, since it is the other one of two on purpose."""


def varied(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel | None, variety: Variety
) -> Varied:
    """A training portrait (H, W, 3) with landmarks (478, 3) under other circumstances; `model` renders open mouths.

    Raises:
        FaceError: the face is too small or turned away to be moved.
    """
    both = _mouths(picture, landmarks, rng, model, variety)
    return _seen_alike(_lids(both, rng) if rng.random() < variety.shut else both, rng, variety)


def closing(picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel, variety: Variety) -> Varied:
    """As `varied`: a photograph whose lips are shut is the truth, the source is the same with its mouth wide open.

    Raises:
        FaceError: as `varied`.
    """
    source, source_landmarks = open_mouth(picture, landmarks, rng, model)
    return _seen_alike(Varied(picture, landmarks, source, source_landmarks, mouth_kept=True), rng, variety)


def is_shut(landmarks: Array) -> bool:
    """Whether landmarks (478, 2 or 3) have their lips shut."""
    return float(opening(landmarks).max()) <= SHUT


def _mouths(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel | None, variety: Variety
) -> Varied:
    own = Varied(picture, landmarks, picture, landmarks)
    if model is not None and rng.random() < variety.opened:
        opened, found = open_mouth(picture, landmarks, rng, model)
        if is_shut(landmarks) and rng.random() < FROM_SHUT:
            return replace(own, truth=opened, landmarks=found, mouth_kept=True)
        return Varied(opened, found, opened, found)
    if is_shut(landmarks):
        return _pursed(own, rng) if rng.random() < variety.pursed else own
    if rng.random() < variety.edited:
        edited = edit_inner_mouth(picture, landmarks, rng)
        return Varied(edited, landmarks, edited, landmarks)
    return own


def _pursed(own: Varied, rng: np.random.Generator) -> Varied:
    portrait = prepared(own.truth, own.landmarks)
    target = narrowed(portrait, rng)
    pursed = render(portrait, target)
    if rng.random() < 0.5:
        return replace(own, source=pursed, source_landmarks=target.landmarks, mouth_kept=True)
    return replace(own, truth=pursed, landmarks=target.landmarks)


def _lids(both: Varied, rng: np.random.Generator) -> Varied:
    truth, landmarks = close_lids(both.truth, both.landmarks, rng)
    if both.source is both.truth and rng.random() < SLEEPER:
        return Varied(truth, landmarks, truth, landmarks)
    return replace(both, truth=truth, landmarks=landmarks)


def _seen_alike(both: Varied, rng: np.random.Generator, variety: Variety) -> Varied:
    """Both pictures behind the same things, in the same light, through the same camera."""
    if both.truth is both.source:
        truth = _seen(both.truth, both.landmarks, rng, variety)
        return Varied(truth, both.landmarks, truth, both.landmarks)
    again = copy.deepcopy(rng)
    truth = _seen(both.truth, both.landmarks, rng, variety)
    source = _seen(both.source, both.landmarks, again, variety)  # laid by the same landmarks
    return replace(both, truth=truth, source=source)


def _seen(picture: Pixels, landmarks: Array, rng: np.random.Generator, variety: Variety) -> Pixels:
    if rng.random() < variety.occluded:
        picture, _ = occlude(picture, landmarks, rng)
    return augmented(picture, rng)
