"""Table 4.1: how far the units of answers follow those of their guides, beside ceilings, floors and the thesis.

For each reference the correlation over its guides, unit by unit; then the mean over units, then over references.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.points68 import MESH
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.judges import COMPRESSED, LIKE, NEXT, ROLLED, Guide, Judged, Judges
from mien_bench.fidelity.points68 import UNITS, unit_correlations
from mien_bench.quality.people import motion_to
from mien_bench.quality.puppet import RATE, open_puppet, settings_for

Array = NDArray[np.float64]

REFERENCE: Final = "reference as output"
SHUFFLED: Final = "answers shuffled"
CONTROLS: Final = (ROLLED, COMPRESSED, NEXT, LIKE)
SHUFFLES: Final = 20
FEWEST: Final = 10
"""Guides of a reference below which a correlation over them says too little."""
IDENTITY_EVERY: Final = 6
"""Every so many answers are asked whose face they show: that takes longer than all else."""
STEP: Final = round(2 * RATE)
"""Frames between guides: nothing of one is left in the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A reference that is animated."""

    group: str
    """Of the thesis's table."""
    identity: str
    """Guides of the same person are left out."""
    portrait: Portrait


@dataclass(frozen=True, slots=True, eq=False)
class Consistency:
    """One reference under one row of the table."""

    group: str
    reference: str
    row: str
    units: Mapping[str, Array]
    """(12,) by judge: correlation over the guides of each unit."""
    pose: Mapping[str, float]
    """By judge: mean absolute difference of yaw, pitch and roll in degrees."""
    distances: tuple[float, ...] = ()
    """Of some answers' identity from the reference's; infinite where no face is seen, none without dlib."""
    lost: int = 0
    """Answers in which a judge sees no face, which correlation and pose leave out."""

    def mean_units(self, judge: str) -> float:
        """The mean correlation over the units that the guides use; NaN where there is none."""
        found = self.units[judge]
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def measure(
    subject: Subject, guides: Sequence[Guide], models: Sequence[str], judges: Judges, threads: int | None = None
) -> Iterator[Consistency]:
    """All rows of one reference: itself, each model, the last one's answers shuffled, controls.

    Raises:
        MienError: a model cannot be opened.
    """
    others = [guide for guide in guides if guide.identity != subject.identity]
    if len(others) < FEWEST:
        return
    own = judges(subject.portrait.pixels, subject.portrait.landmarks[list(MESH), :2], identity=True)
    yield _compared(subject, REFERENCE, others, [own] * len(others), own, judges.names)
    for model in models:
        answers = list(_answers(subject, others, model, judges, threads))
        yield _compared(subject, Path(model).name, others, answers, own, judges.names)
    yield _shuffled(subject, others, answers, judges.names)
    yield from (_control(subject, name, others, judges.names) for name in CONTROLS)


def _answers(
    subject: Subject, guides: Sequence[Guide], model: str, judges: Judges, threads: int | None
) -> Iterator[Judged]:
    with open_puppet(subject.portrait, settings_for(model, "driver", threads=threads)) as puppet:
        for number, guide in enumerate(guides):
            shown = puppet(motion_to(guide.landmarks, guide.neutral, subject.portrait, guide.hint), number * STEP)
            yield judges(shown.pixels, shown.landmarks[list(MESH), :2], identity=number % IDENTITY_EVERY == 0)


def _compared(
    subject: Subject, row: str, guides: Sequence[Guide], answers: Sequence[Judged], own: Judged, names: Sequence[str]
) -> Consistency:
    units, pose = {}, {}
    for name in names:
        units[name] = unit_correlations(_units(guides, name), _rows(answers, name, "units"))
        pose[name] = _apart(_angles(guides, name), _rows(answers, name, "angles"))
    distances: tuple[float, ...] = ()
    if own.embedding is not None and row != REFERENCE:
        distances = tuple(
            float("inf") if one.embedding is None else float(np.linalg.norm(one.embedding - own.embedding))
            for one in answers
            if one.asked
        )
    lost = sum(any(one.readings[name] is None for name in names) for one in answers)
    return Consistency(subject.group, subject.identity, row, units, pose, distances, lost)


def _shuffled(
    subject: Subject, guides: Sequence[Guide], answers: Sequence[Judged], names: Sequence[str]
) -> Consistency:
    """The last model's answers, each given to another guide: the mean over several ways to do so."""
    random = np.random.default_rng(0)
    orders = [random.permutation(len(guides)) for _ in range(SHUFFLES)]
    units, pose = {}, {}
    for name in names:
        given, got = _units(guides, name), _rows(answers, name, "units")
        units[name] = np.mean([unit_correlations(given, got[order]) for order in orders], axis=0)
        turned, found = _angles(guides, name), _rows(answers, name, "angles")
        pose[name] = float(np.mean([_apart(turned, found[order]) for order in orders]))
    return Consistency(subject.group, subject.identity, SHUFFLED, units, pose)


def _control(subject: Subject, control: str, guides: Sequence[Guide], names: Sequence[str]) -> Consistency:
    """What a judge says of the guides themselves, seen otherwise, or of a guide that is like them."""
    with_it = [guide for guide in guides if control in guide.controls]
    units, pose = {}, {}
    for name in names:
        readings = [guide.controls[control][name] for guide in with_it]
        got = np.array([one.units for one in readings]).reshape(-1, len(UNITS))
        turned = np.array([one.angles for one in readings]).reshape(-1, 3)
        units[name] = unit_correlations(_units(with_it, name), got)
        pose[name] = _apart(_angles(with_it, name), turned)
    return Consistency(subject.group, subject.identity, control, units, pose)


def _units(guides: Sequence[Guide], name: str) -> Array:
    return np.array([guide.given[name].units for guide in guides]).reshape(-1, len(UNITS))


def _angles(guides: Sequence[Guide], name: str) -> Array:
    return np.array([guide.given[name].angles for guide in guides]).reshape(-1, 3)


def _rows(answers: Sequence[Judged], name: str, what: str) -> Array:
    """(N, ...): what a judge reads of each answer, NaN where it sees no face."""
    length = len(UNITS) if what == "units" else 3
    blank = np.full(length, np.nan)
    return np.array([blank if (found := one.readings[name]) is None else getattr(found, what) for one in answers])


def _apart(one: Array, other: Array) -> float:
    """Mean absolute difference in degrees over the rows that are known on both sides."""
    away = np.abs(one - other)
    away = away[np.isfinite(away).all(axis=1)]
    return float(away.mean()) if len(away) else float("nan")
