"""Self-reenactment: scenes whose true picture is known, the mouth hints a model may see, and the scores of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien.draw.mouth import lips_of, mouth_hint
from mien.face.face import MouthHint
from mien.portrait.portrait import Portrait
from mien_bench.quality import picture_measures
from mien_bench.quality.picture_measures import averages, detail
from mien_bench.quality.puppet import open_puppet, settings_for, towards
from mien_bench.quality.regions import crop_of, cut, regions_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

GAIN, CAST, GAMMA = 0.3, 0.1, 0.2
"""How far brightness, single channels and the curve of another camera in another light may go, as shares."""
CONDITIONS: Final = ("none", "recoloured", "another")
"""What is shown of a mouth: none, the driver's in another light, or somebody else's that is opened alike."""
MEASURES: Final = ("l1", "psnr", "gradient", "ssim", "detail")
"""Grey levels 0..255; decibels; 0..1; -1..1; octaves of fine energy above the truth's."""
PSNR_MOST: Final = 60.0
"""Decibels of a region that has no error at all."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthPicture:
    """Somebody's mouth."""

    identity: str
    hint: MouthHint
    opening: Array
    """(3,): gaps at a quarter, half and three quarters of the width, in mouth widths."""


def mouth_of(identity: str, pixels: Pixels, landmarks: Array) -> MouthPicture | None:
    """The mouth that a picture (H, W, 3) with landmarks (478, 3) shows; None where it lies outside."""
    hint = mouth_hint(pixels, landmarks)
    return None if hint is None else MouthPicture(identity, hint, _opening(hint))


def nearest_of_others(identity: str, opening: Array, mouths: Sequence[MouthPicture]) -> MouthHint | None:
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
    truth: Pixels, landmarks: Array, identity: str, mouths: Sequence[MouthPicture], random: np.random.Generator
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


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What one answer is worth."""

    identity: str
    """Whose face it is: answers of one identity count as one."""
    case: str
    model: str
    condition: str
    values: Array
    """(5, 6): `MEASURES` by `REGIONS`, NaN where the truth does not show the region."""


def score(made: Pixels, truth: Pixels, truth_landmarks: Array, portrait_landmarks: Array) -> Array:
    """(5, 6): `MEASURES` by `REGIONS` of pictures (H, W, 3) whose crop is that of the truth's landmarks (478, 3)."""
    matrix = crop_of(truth_landmarks)
    regions = regions_of(truth_landmarks, portrait_landmarks, matrix, (truth.shape[1], truth.shape[0]))
    ours, theirs = cut(made, matrix), cut(truth, matrix)
    squared = averages(picture_measures.squared_difference(ours, theirs), regions)
    return np.array(
        [
            averages(picture_measures.difference(ours, theirs), regions),
            np.minimum(20 * np.log10(255.0) - 10 * np.log10(np.maximum(squared, 1e-9)), PSNR_MOST),
            averages(picture_measures.gradient_similarity(ours, theirs), regions),
            averages(picture_measures.structure(ours, theirs), regions),
            detail(ours, theirs, regions),
        ]
    )


Watcher = Callable[[Scene, Moment, str, str, Pixels], None]
"""Called with (scene, moment, model, condition, answer) for each answer."""


def measure(
    scenes: Iterable[Scene],
    models: Sequence[str],
    threads: int | None = None,
    watch: Watcher | None = None,
    conditions: Sequence[str] = CONDITIONS,
) -> Iterator[Scored]:
    """The score of each answer, as it is made; `conditions` are of `CONDITIONS`.

    Raises:
        MienError: a model cannot be opened.
    """
    for scene in scenes:
        for model in models:
            for condition in conditions:
                yield from _answers(scene, model, condition, threads, watch)


def _answers(scene: Scene, model: str, condition: str, threads: int | None, watch: Watcher | None) -> Iterator[Scored]:
    mouth: Mouth = "none" if condition == "none" else "driver"
    portrait = scene.portrait
    with open_puppet(portrait, settings_for(model, mouth, threads=threads)) as puppet:
        for number, moment in enumerate(scene.moments):
            shown = puppet(towards(moment.landmarks, portrait.size, moment.hints[condition]), number)
            values = score(shown.pixels, moment.truth, moment.landmarks, portrait.landmarks)
            if watch is not None:
                watch(scene, moment, model, condition, shown.pixels)
            yield Scored(scene.identity, moment.name, model, condition, values)
