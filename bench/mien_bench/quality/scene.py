"""Material for self-reenactment: one portrait, and moments whose true picture is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.face import MouthHint
from mien.portrait.portrait import Portrait
from mien_bench.quality.hints import Mouth, mouth_of, nearest_of_others, recoloured

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CONDITIONS: Final = ("none", "recoloured", "another")
"""What is shown of a mouth: none, the driver's in another light, or somebody else's that is opened alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What the portrait shall look like."""

    name: str
    truth: Pixels
    """(H, W, 3), of the portrait's size."""
    landmarks: Array
    """(478, 3) of it."""
    hints: Mapping[str, MouthHint | None]
    """For each of `CONDITIONS` the picture of a mouth that a model is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A portrait and its moments."""

    identity: str
    portrait: Portrait
    moments: tuple[Moment, ...]


def hints_for(
    truth: Pixels, landmarks: Array, identity: str, mouths: Sequence[Mouth], random: np.random.Generator
) -> dict[str, MouthHint | None]:
    """The hints of a moment; `mouths` gives those of everybody."""
    own = mouth_of(identity, recoloured(truth, random), landmarks)
    if own is None:
        return dict.fromkeys(CONDITIONS)
    return {
        "none": None,
        "recoloured": own.hint,
        "another": nearest_of_others(identity, own.opening, mouths),
    }
