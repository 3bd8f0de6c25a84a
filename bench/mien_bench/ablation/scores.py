"""Numbers of ablation columns: L1, SSIM, identity and landmark error per person, with bootstrapped intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.face.face import eye_distance
from mien.parse.find import find_faces
from mien.parse.models import FaceMesh
from mien_bench.ablation.answers import SOURCE, Answer
from mien_bench.quality.dlib_face import SAME_PERSON, DlibDetector, apart
from mien_bench.quality.picture_measures import difference, structure
from mien_bench.quality.summary import by_identity, mean_interval
from mien_bench.quality.summary import difference as paired
from mien_bench.results import Better, Check, Row, Table

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

LOOK: Final = 256
"""Side to which results are enlarged for those who look for a face in them."""
OFF: Final = 0.5
"""Eye distances; landmarks further off are another face's, or none's."""
MEASURES: Final[Mapping[str, tuple[str, Better, str]]] = {
    "L1": ("grey levels", "lower", "{:.2f}"),
    "SSIM": ("", "higher", "{:.3f}"),
    "landmarks off": ("% of eye distance", "lower", "{:.1f}"),
    "identity, distance": ("", "lower", "{:.3f}"),
}
"""Unit, direction and form by name."""
FULL: Final = "full"
"""The column that the others are compared with."""
NOTE: Final = (
    "Means over people with 95 % intervals, drawn again over people; * marks a difference from the full loss whose "
    "interval excludes zero. Landmarks: MediaPipe's on the enlarged result against the wanted ones. Identity: distance "
    f"of dlib's embeddings of result and truth, both enlarged; up to {SAME_PERSON} counts as one person."
)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One answer's values in the order of `MEASURES`, NaN where nobody could tell."""

    column: str
    identity: str
    values: Array


class Scorer:
    """Callable: answer -> score."""

    def __init__(self, mesh: FaceMesh, second_look: DlibDetector | None) -> None:
        """`mesh`: for stills. Without `second_look` no identity is told."""
        self._mesh, self._second_look = mesh, second_look

    def __call__(self, answer: Answer) -> Score:
        """Its values."""
        made, truth = (np.asarray(resized(picture, LOOK, LOOK)) for picture in (answer.made, answer.truth))
        values = (
            float(difference(answer.made, answer.truth).mean()),
            float(structure(answer.made, answer.truth).mean()),
            self._landmarks_off(answer, made),
            self._identity(answer, made, truth),
        )
        return Score(answer.column, answer.identity, np.array(values))

    def _landmarks_off(self, answer: Answer, made: Pixels) -> float:
        """Per cent of the eye distance; NaN where no face is found."""
        share = LOOK / answer.made.shape[0]
        wanted = (answer.landmarks + 0.5) * share - 0.5
        unit = eye_distance(wanted)
        found = [float(np.hypot(*(face - wanted)[:, :2].T).mean()) / unit for face in find_faces(made, self._mesh)]
        return 100 * min((one for one in found if one < OFF), default=float("nan"))

    def _identity(self, answer: Answer, made: Pixels, truth: Pixels) -> float:
        if self._second_look is None:
            return float("nan")
        about = (answer.points + 0.5) * (LOOK / answer.made.shape[0]) - 0.5
        own, other = (self._second_look.averaged(picture, about) for picture in (made, truth))
        return float("nan") if own is None or other is None else apart(own, other)


def people(scores: Sequence[Score], column: str) -> Array:
    """(N, measures): a column's values of each person, in the order in which people came."""
    own = [score for score in scores if score.column == column]
    return np.array(list(by_identity([s.identity for s in own], np.array([s.values for s in own])).values()))


def rows(scores: Sequence[Score]) -> Iterator[Row]:
    """Each column's values by person."""
    for column in columns_of(scores):
        for (name, (unit, better, _)), values in zip(MEASURES.items(), people(scores, column).T, strict=True):
            seen = tuple(value for value in values.tolist() if np.isfinite(value))
            if seen:
                yield Row(name, unit, seen, better, {"column": column}, each="identity")


def table(scores: Sequence[Score]) -> Table:
    """Columns of the ablation as rows, measures as columns."""
    base = people(scores, FULL) if FULL in columns_of(scores) else None
    lines = [(column, *_cells(people(scores, column), base, column)) for column in columns_of(scores)]
    count = len({score.identity for score in scores})
    return Table(f"Ablation on {count} people who were not trained on", ("", *MEASURES), tuple(lines), notes=(NOTE,))


def _cells(own: Array, base: Array | None, column: str) -> Iterator[str]:
    for place, (_, _, form) in enumerate(MEASURES.values()):
        sure = base is not None and column != FULL and paired(base[:, place], own[:, place]).sure
        yield mean_interval(own[:, place].tolist(), form) + ("*" if sure else "")


def checks(scores: Sequence[Score], groups: Sequence[str]) -> Iterator[Check]:
    """Whether the full loss beats each of these columns in L1 and identity."""
    names = columns_of(scores)
    for column in (name for name in groups if name in names and FULL in names):
        for place, name in ((0, "L1"), (3, "identity, distance")):
            found = paired(people(scores, FULL)[:, place], people(scores, column)[:, place])
            if found.count:
                got = f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
                yield Check(f"{name} of {column}, less that of {FULL}", "surely above 0", got, found.low > 0)


def columns_of(scores: Sequence[Score]) -> list[str]:
    """In the order in which they came, the unchanged source last."""
    names = list(dict.fromkeys(score.column for score in scores))
    return sorted(names, key=lambda name: name == SOURCE)


def scored(given: Sequence[Answer], scorer: Callable[[Answer], Score], tell: Callable[[str], None]) -> list[Score]:
    """Scores of all answers of a column; `tell` takes a line on how it went."""
    found = [scorer(answer) for answer in given]
    l1, ssim = (float(np.mean([score.values[place] for score in found])) for place in (0, 1))
    tell(f"{given[0].column}: L1 {l1:.2f}, SSIM {ssim:.3f}")
    return found
