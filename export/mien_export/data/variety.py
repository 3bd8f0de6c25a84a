"""What the portraits of a folder lack, put into them before pairs are made: wide mouths, other mouths, hidden parts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_export.data.augment import augmented
from mien_export.data.closed_lids import close_lids
from mien_export.data.inner_mouth import edit_inner_mouth
from mien_export.data.occlude import occlude
from mien_export.data.open_mouth import MouthModel, open_mouth

SLEEPER: Final = 0.2
"""How often a portrait whose eyes are to be shut has them shut itself."""

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


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
