"""Cross-reenactment: every reference driven by every guide of another person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien_bench.quality.dlib_face import (
    SAME_PERSON,
    DlibDetector,
    FaceMeasurement,
    apart,
    measure_face,
    shape_leak,
)
from mien_bench.quality.people import Guide, Reference, motion_to
from mien_bench.quality.puppet import RATE, open_puppet, settings_for

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

STEP = round(2 * RATE)
"""Frames between guides: with several pictures of a person, a switch from one to another is over by then."""
Watcher = Callable[[Reference, Guide, str, Pixels], None]
"""Called with (reference, guide, model, answer)."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """The output of one reference with one guide, evaluated."""

    reference: str
    guide: str
    pose: float
    """Mean absolute difference of yaw, pitch and roll in degrees."""
    distance: float
    """Of the identities of the answer and of the reference's nearest picture."""
    proportions: tuple[Array, Array]
    """(3,) each: `shape_leak.PROPORTIONS` of the guide and of the answer."""


@dataclass(frozen=True, slots=True)
class CrossScore:
    """One model's crossings."""

    pose: float
    identity: float
    """Per cent within `SAME_PERSON` of the reference; an answer without a face is not."""
    distance: float
    """Mean of the embeddings'."""
    leak: float
    """Per cent of a difference in the guides' face shapes that arrives; the mean over the proportions."""
    count: int
    lost: int
    """Answers in which no face was found, which the other figures leave out."""
    of_references: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """For each reference the means of pose and distance."""


def crossings(
    references: Sequence[Reference],
    guides: Sequence[Guide],
    model: str,
    second_look: DlibDetector,
    *,
    mouth: Mouth = "driver",
    fusion: bool = True,
    threads: int | None = None,
    watch: Watcher | None = None,
) -> Iterator[Crossing | None]:
    """One after the other; None where the answer shows no face.

    Raises:
        MienError: the model cannot be opened.
    """
    settings = settings_for(model, mouth, threads=threads)
    for reference in references:
        with open_puppet(reference.portraits, settings, fusion=fusion) as puppet:
            others = (guide for guide in guides if guide.identity != reference.identity)
            for number, guide in enumerate(others):
                hint = guide.hint if mouth == "driver" else None
                motion = motion_to(guide.landmarks, guide.neutral, reference.portraits[0], hint)
                puppet(motion, number * STEP)
                shown = puppet(motion, number * STEP + STEP // 2)
                if watch is not None:
                    watch(reference, guide, model, shown.pixels)
                look = second_look(shown.pixels)
                yield None if look is None else compare(reference, guide, measure_face(look, reference.rest))


def compare(reference: Reference, guide: Guide, answer: FaceMeasurement) -> Crossing:
    """Evaluate one answer against its reference and its guide."""
    return Crossing(
        reference.identity,
        guide.identity,
        float(np.abs(guide.face.angles - answer.angles).mean()),
        min(apart(look, answer.look) for look in reference.looks),
        (guide.face.proportions, answer.proportions),
    )


def judge(found: Sequence[Crossing | None]) -> CrossScore:
    """The score of a model; NaN where nothing was found."""
    seen = [one for one in found if one is not None]
    lost = len(found) - len(seen)
    if not seen:
        nothing = float("nan")
        identity = 0.0 if found else nothing
        return CrossScore(nothing, identity, nothing, nothing, len(found), lost)
    same = sum(one.distance < SAME_PERSON for one in seen)
    return CrossScore(
        pose=float(np.mean([one.pose for one in seen])),
        identity=100 * same / len(found),
        distance=float(np.mean([one.distance for one in seen])),
        leak=100 * shape_leak([(one.reference, one.guide, *one.proportions) for one in seen]),
        count=len(found),
        lost=lost,
        of_references=_of_references(seen),
    )


def _of_references(seen: Sequence[Crossing]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(one.reference for one in seen):
        own = np.array([(one.pose, one.distance) for one in seen if one.reference == name])
        pose, distance = own.mean(axis=0).tolist()
        found[name] = pose, distance
    return found
