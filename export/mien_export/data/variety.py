"""What the portraits of a folder lack, put into them before pairs are made: wide mouths, other mouths, hidden parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien_export.data.augment import augmented
from mien_export.data.closed_lids import close_lids
from mien_export.data.inner_mouth import edit_inner_mouth
from mien_export.data.occlude import occlude
from mien_export.data.open_mouth import MouthModel, open_mouth

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Variety:
    """How often each change is made, 0..1."""

    opened: float = 0.25
    edited: float = 0.3
    shut: float = 0.12
    occluded: float = 0.1


def varied(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, model: MouthModel | None, variety: Variety
) -> tuple[Pixels, Array]:
    """A training portrait (H, W, 3) with landmarks (478, 3) under other circumstances; `model` renders open mouths.

    Raises:
        FaceError: the face is too small or turned away to be moved.
    """
    if model is not None and rng.random() < variety.opened:
        picture, landmarks = open_mouth(picture, landmarks, rng, model)
    elif rng.random() < variety.edited:
        picture = edit_inner_mouth(picture, landmarks, rng)
    if rng.random() < variety.shut:
        picture, landmarks = close_lids(picture, landmarks, rng)
    if rng.random() < variety.occluded:
        picture, _ = occlude(picture, landmarks, rng)
    return augmented(picture, rng), landmarks
