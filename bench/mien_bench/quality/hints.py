"""Pictures of mouths that a model may look at: the truth's own would be cheating, so it is changed, or another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.draw.mouth import lips_of, mouth_hint
from mien.face.face import MouthHint

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

GAIN, CAST, GAMMA = 0.3, 0.1, 0.2
"""How far brightness, single channels and the curve of another camera in another light may go, as shares."""


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """Somebody's mouth."""

    identity: str
    hint: MouthHint
    opening: Array
    """(3,): gaps at a quarter, half and three quarters of the width, in mouth widths."""


def mouth_of(identity: str, pixels: Pixels, landmarks: Array) -> Mouth | None:
    """The mouth that a picture (H, W, 3) with landmarks (478, 3) shows; None where it lies outside."""
    hint = mouth_hint(pixels, landmarks)
    return None if hint is None else Mouth(identity, hint, _opening(hint))


def nearest_of_others(identity: str, opening: Array, mouths: Sequence[Mouth]) -> MouthHint | None:
    """The mouth of somebody else that is opened most alike."""
    others = [mouth for mouth in mouths if mouth.identity != identity]
    return min(others, key=lambda mouth: float(np.abs(mouth.opening - opening).sum())).hint if others else None


def recoloured(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A picture (H, W, 3) as another camera in another light may have taken it."""
    gain = random.uniform(1 - GAIN, 1 + GAIN) * random.uniform(1 - CAST, 1 + CAST, 3)
    gamma = random.uniform(1 - GAMMA, 1 + GAMMA)
    values = 255 * np.clip(pixels / 255.0 * gain, 0.0, 1.0) ** gamma
    return np.asarray(np.rint(values), dtype=np.uint8)


def _opening(hint: MouthHint) -> Array:
    lips = lips_of(hint.outline)
    at = np.array([-0.25, 0.0, 0.25])
    return np.asarray(np.interp(at, *lips.lower) - np.interp(at, *lips.upper))
