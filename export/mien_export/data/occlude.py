"""What comes between a face and a camera: hands, hair, microphones, glasses, things. Drawn, not true to life in detail,
but of the right size, colour, softness and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien_export.data.occluders import Layer, hair, hand, microphone, thing
from mien_export.data.spectacles import spectacles

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Maker = Callable[[Pixels, Array, float, np.random.Generator], Layer]

KINDS: Final[dict[str, Maker]] = {
    "hand": hand,
    "hair": hair,
    "microphone": microphone,
    "spectacles": spectacles,
    "thing": thing,
}


def occlude(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, kind: str | None = None
) -> tuple[Pixels, Floats]:
    """A portrait with something before its face.

    Args:
        picture: (H, W, 3) RGB.
        landmarks: (478, 2 or 3) in its pixels.
        rng: draws what, where and how.
        kind: one of `KINDS`; drawn where None.

    Returns:
        The picture, and (H, W) in 0..1: how much of each pixel is hidden.
    """
    name = kind or str(rng.choice(list(KINDS)))
    layer = KINDS[name](picture, landmarks[:, :2], eye_distance(landmarks), rng)
    return layer.over(picture), layer.mask
