"""Table 3 of the face-video paper: pictures synthesised from a label map are segmented again and compared with the map.

Each judge segments the real picture; a generator synthesises the picture from that map, in the picture's own style; the
same judge segments the answer. How a judge repeats itself on the real picture, mirrored, stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.bundles import find
from mien.errors import ModelError
from mien.face.classes import CLASSES, MIRRORED
from mien.face.crop import SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.manifest import read_bundle
from mien.plane import placed
from mien_bench.face_video.judges import MAKER, Judge
from mien_bench.face_video.made_again import open_made_again
from mien_bench.quality.summary import ROUNDS, SURE
from mien_bench.results import Check, Fact, Row, Table

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Counts = NDArray[np.int64]

REAL: Final = "the real picture, mirrored"
PAPER: Final = {"SPADE": (0.967, 0.85), "batch norm": (0.94, 0.79), "pix2pix": (0.902, 0.71)}
"""The paper's accuracy and mean IoU."""
LEAST: Final = (0.965, 0.80)
"""Accuracy and mean IoU by the label maker that a shipped generator shall reach."""
NOTES: Final = (
    (
        "Each judge's own map of the real picture is given to the generator and is the truth. Counted over all pixels "
        "of all portraits, crops of 256 x 256; mIoU over the classes that the truth has; 95 % intervals over portraits."
    ),
    (
        "Nobody labelled anything by hand. Pictures from a generator may segment better than real ones, since they are "
        "simpler; the real picture's row says how a judge repeats itself. The label maker was in no loss."
    ),
    "The paper's figures are with labels of another network, on a far larger set: they stand beside, not against.",
)


class Resynthesis(Protocol):
    """A generator that makes a picture from a label map."""

    @property
    def name(self) -> str:
        """As rows call it."""
        ...

    def __call__(self, picture: Pixels, landmarks: Array, labels: Pixels) -> Pixels:
        """(S, S, 3): a picture with the map `labels` (S, S) in the style of `picture` (S, S, 3).

        Args:
            picture: a face crop as `mien.face.crop.crop_matrix` cuts it.
            landmarks: (478, 3) of it, in its pixels.
        """
        ...


Opener = Callable[[str, int], AbstractContextManager[Resynthesis]]
"""(name or folder of a bundle, threads) -> its generator, closed on leaving."""
OPENERS: Final[dict[str, Opener]] = {"spade-video": open_made_again}
"""What opens bundles of a family: a family that makes pictures from label maps is measured once it stands here."""


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """A portrait cut to the crop."""

    name: str
    picture: Pixels
    """(256, 256, 3)."""
    landmarks: Array
    """(478, 3) in its pixels."""

    @classmethod
    def of(cls, name: str, pixels: Pixels, landmarks: Array) -> Sitter:
        """Of a picture (H, W, 3) with landmarks (478, 3)."""
        matrix = crop_matrix(fit_pose(landmarks))
        picture = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        return cls(name, np.asarray(picture, dtype=np.uint8), placed(landmarks, matrix))


@dataclass(frozen=True, slots=True, eq=False)
class Resegmented:
    """How one judge's maps of one generator's pictures agree with the maps given."""

    generator: str
    judge: str
    counts: Counts
    """(portraits, 19, 19): pixels by truth and by what was found; unknown ones are left out."""


@contextmanager
def open_generators(models: Sequence[str], threads: int) -> Iterator[tuple[list[Resynthesis], list[str]]]:
    """Those of the bundles that can be had, and a note on each of the others; closed on leaving."""
    with ExitStack() as stack:
        found, notes = list[Resynthesis](), list[str]()
        for model in models:
            try:
                family = read_bundle(find(model)).family
                if family not in OPENERS:
                    raise ModelError(f"model {model}: family {family} makes no pictures from label maps")
                found.append(stack.enter_context(OPENERS[family](model, threads)))
            except ModelError as error:
                notes.append(f"table 3: no row for {model}: {error}")
        yield found, notes


def measure(
    sitters: Sequence[Sitter], generators: Sequence[Resynthesis], judges: Sequence[Judge]
) -> Iterator[Resegmented]:
    """Of each judge the real picture's row, then each generator's."""
    for judge in judges:
        maps = [judge(sitter.picture) for sitter in sitters]
        again = (_mirrored(judge(np.ascontiguousarray(sitter.picture[:, ::-1]))) for sitter in sitters)
        yield Resegmented(REAL, judge.name, _counted(maps, again))
        for generator in generators:
            given = zip(sitters, maps, strict=True)
            made = (judge(generator(one.picture, one.landmarks, _known(labels))) for one, labels in given)
            yield Resegmented(generator.name, judge.name, _counted(maps, made))


def agreement(truth: Pixels, found: Pixels) -> Counts:
    """(19, 19): pixels by the class in `truth` and in `found`, both (H, W), where both know it."""
    size = len(CLASSES)
    known = (truth < size) & (found < size)
    both = truth[known].astype(np.int64) * size + found[known]
    return np.bincount(both, minlength=size**2).reshape(size, size)


def accuracy(counts: Counts) -> float:
    """Share of pixels of which both say the same, of counts (19, 19)."""
    return float(np.trace(counts) / max(counts.sum(), 1))


def mean_iou(counts: Counts) -> float:
    """Intersection over union, mean over the classes that the truth has, of counts (19, 19)."""
    hits, truth = np.diag(counts).astype(np.float64), counts.sum(axis=1)
    union = counts.sum(axis=0) + truth - hits
    there = truth > 0
    return float((hits[there] / union[there]).mean()) if there.any() else float("nan")


def table(found: Sequence[Resegmented]) -> Table:
    """In the paper's form, by each judge."""
    judges = list(dict.fromkeys(one.judge for one in found))
    cells: Mapping[tuple[str, str], Resegmented] = {(one.generator, one.judge): one for one in found}
    generators = dict.fromkeys(one.generator for one in found)
    lines = [
        (name, *(_cell(cells.get((name, judge)), measured) for judge in judges for measured in _MEASURES.values()))
        for name in generators
    ]
    blank = ["-"] * (len(_MEASURES) * (len(judges) - 1))
    quoted = [(f"paper: {name}", f"{right:.3f}", f"{iou:.2f}", *blank) for name, (right, iou) in PAPER.items()]
    heads = (f"{name} by {judge}" for judge in judges for name in _MEASURES)
    title = f"Table 3: pictures from label maps, segmented again; {len(found[0].counts)} portraits"
    places = tuple(range(len(lines), len(lines) + len(quoted)))
    return Table(title, ("", *heads), (*lines, *quoted), places, NOTES)


def rows(found: Sequence[Resegmented]) -> Iterator[Row]:
    """A value for each portrait."""
    for one in found:
        condition: dict[str, Fact] = {"on": "face-video, table 3", "generator": one.generator, "judge": one.judge}
        for name, measured in _MEASURES.items():
            values = tuple(measured(counts) for counts in one.counts)
            yield Row(name, "", values, "neither" if one.generator == REAL else "higher", condition, each="portrait")


def targets(found: Sequence[Resegmented]) -> Iterator[Check]:
    """What the label maker shall find in each generator's pictures."""
    for one in found:
        if one.judge == MAKER and one.generator != REAL:
            for (name, measured), least in zip(_MEASURES.items(), LEAST, strict=True):
                value = measured(one.counts.sum(axis=0))
                yield Check(
                    f"table 3, {one.generator}: {name} by {MAKER}", f">= {least:g}", f"{value:.3f}", value >= least
                )


_MEASURES: Final[Mapping[str, Callable[[Counts], float]]] = {"accuracy": accuracy, "mIoU": mean_iou}


def _counted(truths: Iterable[Pixels], found: Iterable[Pixels]) -> Counts:
    return np.array([agreement(truth, own) for truth, own in zip(truths, found, strict=True)])


def _mirrored(labels: Pixels) -> Pixels:
    """The map (S, S) of a mirrored picture as one of the picture; what is unknown stays so."""
    table = np.arange(256, dtype=np.uint8)
    table[: len(MIRRORED)] = MIRRORED
    return np.asarray(table[labels[:, ::-1]], dtype=np.uint8)


def _known(labels: Pixels) -> Pixels:
    """A map without unknown pixels: each takes the class of the nearest that is known."""
    unknown = labels >= len(CLASSES)
    if not unknown.any():
        return labels
    _, nearest = cv2.distanceTransformWithLabels(
        unknown.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    classes = np.zeros(int(nearest.max()) + 1, np.uint8)
    classes[nearest[~unknown]] = labels[~unknown]
    return np.asarray(classes[nearest], dtype=np.uint8)


def _cell(one: Resegmented | None, measured: Callable[[Counts], float]) -> str:
    """Over all portraits, with an interval bootstrapped over them."""
    if one is None:
        return "-"
    value, count = measured(one.counts.sum(axis=0)), len(one.counts)
    if count < 2:
        return f"{value:.3f}"
    drawn = np.random.default_rng(0).integers(0, count, (ROUNDS, count))
    values = [measured(one.counts[some].sum(axis=0)) for some in drawn]
    low, high = np.percentile(values, [50 - SURE / 2, 50 + SURE / 2])
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
