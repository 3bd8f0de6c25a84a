"""How label maps agree: counts of pixels by class, mean IoU, and by these what a segmenter loses in lower precision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.classes import CLASSES
from mien.parsing.looks import Look, labels_of
from mien_export.graphs.measure import Arrays, Example

Pixels = NDArray[np.uint8]

DRAWN: Final = (classes.GLASSES, classes.HAT, classes.EARRING, classes.NECKLACE)
"""Classes that are only drawn."""
MADE: Final = tuple(kind for kind in range(len(CLASSES)) if kind not in DRAWN)
"""Classes that the label maker knows."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How two label maps agree, summed over pictures."""

    counts: NDArray[np.int64]
    """(19, 19): pixels by truth and by what was found; unknown ones are left out."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[Pixels, Pixels]]) -> Agreement:
        """Of pairs of truth and found, each (H, W)."""
        size = len(CLASSES)
        counts = np.zeros((size, size), np.int64)
        for truth, found in pairs:
            known = (truth < size) & (found < size)
            both = truth[known].astype(np.int64) * size + found[known]
            counts += np.bincount(both, minlength=size**2).reshape(size, size)
        return cls(counts)

    @property
    def iou(self) -> NDArray[np.float64]:
        """(19,): intersection over union of each class; not a number for classes that neither has."""
        hits = np.diag(self.counts).astype(np.float64)
        union = self.counts.sum(axis=0) + self.counts.sum(axis=1) - hits
        return np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)

    def mean_iou(self, kinds: Iterable[int] = MADE) -> float:
        """Over those of `kinds` that the truth has."""
        there = [kind for kind in kinds if self.counts[kind].sum()]
        return float(np.nanmean(self.iou[there]))

    @property
    def accuracy(self) -> float:
        """Share of pixels of which both say the same."""
        return float(np.diag(self.counts).sum() / max(self.counts.sum(), 1))


@dataclass(frozen=True, slots=True)
class LabelMeasure:
    """Mean IoU of labels with those of the label maker, and the share of pixels whose label is that of float32."""

    role: str = "labels"
    most: float = 0.005
    enough: float = 0.001

    def to_truth(self, got: Sequence[Arrays], examples: Sequence[Example]) -> tuple[float, ...]:
        """Mean IoU of the classes that the label maker knows, counted over all examples."""
        pairs = ((example.labels, own) for own, example in zip(got, examples, strict=True))
        known = [(truth, _labels(own, truth.shape)) for truth, own in pairs if truth is not None]
        return (Agreement.of(known).mean_iou(),) if known else ()

    def likeness(self, got: Sequence[Arrays], exact: Sequence[Arrays]) -> float:
        """Share of the grid's nodes."""
        pairs = zip(got, exact, strict=True)
        same = [own["labels"].argmax(axis=1) == other["labels"].argmax(axis=1) for own, other in pairs]
        return float(np.mean(same))

    def told(self, value: float) -> str:
        """Of mean IoU."""
        return f"{value:.4f} of mean IoU"

    def told_likeness(self, value: float) -> str:
        """In per cent."""
        return f"{100 * value:.2f} % of labels the same"


def _labels(got: Arrays, shape: tuple[Any, ...]) -> Pixels:
    """(S, S): of a crop of that shape, for logits (1, 19, s, s)."""
    return labels_of([Look.of(got["labels"][0], np.eye(2, 3))], (shape[0], shape[1]))
