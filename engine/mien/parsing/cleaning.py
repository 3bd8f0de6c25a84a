"""Label maps without what cannot be: connected regions in impossible places take their neighbours' class.

Pure functions on maps (H, W) of class ids. A segmentation that takes one frame for itself flickers; `Steady` keeps the
label of a pixel until a new one was seen in two frames running.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.classes import CLASSES
from mien.parsing.maps import PART_CLASSES, nearest_known

Labels = NDArray[np.uint8]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

SPECK: Final = 0.0004
"""Area as a share of the person's below which a region is noise, of most classes."""
ISLAND: Final = 0.06
"""Share of the largest region of its class below which another one is an island, where its rule says so. One of
background is a hole; at the map's border it may go on beyond."""
_FACE: Final = (classes.SKIN, *PART_CLASSES, classes.GLASSES)
_PAIRS: Final = (
    (classes.LEFT_EYE, classes.RIGHT_EYE),
    (classes.LEFT_BROW, classes.RIGHT_BROW),
    (classes.LEFT_EAR, classes.RIGHT_EAR),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which regions of a class can be."""

    only: bool = False
    """The largest one alone."""
    beside: tuple[int, ...] = ()
    """Classes of which a region touches at least one; none: it may stand alone."""
    islands: bool = True
    """Whether regions much smaller than the largest one may be."""
    least: float = SPECK
    """Area of a region as a share of the person's."""


_PART: Final = Rule(only=True, beside=_FACE, least=0.0)
_HEAD: Final = (*_FACE, classes.HAIR, classes.HAT, classes.LEFT_EAR, classes.RIGHT_EAR)
RULES: Final = {
    classes.BACKGROUND: Rule(islands=False),
    classes.SKIN: Rule(islands=False),
    classes.GLASSES: Rule(beside=_FACE, least=0.0),
    **dict.fromkeys(PART_CLASSES, _PART),
    classes.LEFT_EAR: Rule(only=True, beside=_HEAD),
    classes.RIGHT_EAR: Rule(only=True, beside=_HEAD),
    classes.HAIR: Rule(beside=_HEAD, islands=False),
    classes.HAT: Rule(only=True, beside=_HEAD),
    classes.EARRING: Rule(beside=(*_HEAD, classes.NECK), least=0.0),
    classes.NECKLACE: Rule(beside=(classes.NECK, classes.CLOTH, classes.SKIN), least=0.0),
    classes.NECK: Rule(beside=(*_HEAD, classes.CLOTH), islands=False),
}
"""By class; a class that is not here may be anywhere, in regions that are no specks."""
_FREE: Final = Rule()


def cleaned(labels: Labels) -> Labels:
    """A copy of `labels` (H, W) in which regions that cannot be have the class of the nearest ones that can.

    Those are: specks and holes; parts of the face outside of it, or twice; left parts on the right of right ones;
    islands of hair, skin and neck; hair, hats, ears and jewellery that touch nothing which they belong to.
    """
    person = int(np.count_nonzero(labels))
    if not person:
        return labels.copy()
    wrong = np.zeros(labels.shape, bool)
    there = np.flatnonzero(np.bincount(labels.ravel(), minlength=len(CLASSES))).tolist()
    for kind in there:
        _mark(labels, kind, RULES.get(kind, _FREE), person, wrong)
    _mark_sides(labels, wrong)
    return nearest_known(labels, ~wrong) if wrong.any() else labels.copy()


def _mark(labels: Labels, kind: int, rule: Rule, person: int, wrong: Bits) -> None:
    """Mark in `wrong` (H, W) the regions of a class that are against its rule; `person`: pixels of all of it."""
    own = (labels == kind).view(np.uint8)
    count, regions, sizes, _ = cv2.connectedComponentsWithStats(own, connectivity=8)
    areas = sizes[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    largest = int(areas.argmax())
    bad = areas < rule.least * person
    if rule.only:
        bad |= np.arange(count) != largest
    if not rule.islands:
        small = areas < ISLAND * areas[largest]
        bad |= small & ~_at_border(regions, count) if kind == classes.BACKGROUND else small
    if rule.beside:
        bad |= ~_touching(labels, regions, count, set(rule.beside) - {kind})
    bad[0] = False
    if bad.any():
        wrong |= bad[regions]


def _touching(labels: Labels, regions: NDArray[np.int32], count: int, kinds: Iterable[int]) -> Bits:
    """(count,): whether each region touches a pixel of one of `kinds`."""
    near = cv2.dilate(_TABLE[list(kinds)].any(axis=0)[labels].view(np.uint8), np.ones((3, 3), np.uint8))
    out = np.zeros(count, bool)
    out[regions[near > 0]] = True
    return out


def _at_border(regions: NDArray[np.int32], count: int) -> Bits:
    """(count,): whether each region reaches the border of the map."""
    out = np.zeros(count, bool)
    for line in (regions[0], regions[-1], regions[:, 0], regions[:, -1]):
        out[line] = True
    return out


_TABLE: Final = np.eye(256, dtype=bool)[: len(CLASSES)]
"""By class: which of all bytes are it."""


def _mark_sides(labels: Labels, wrong: Bits) -> None:
    """Of two parts whose left one lies on the right of the right one, mark the smaller."""
    for left, right in _PAIRS:
        a, b = ((labels == kind) & ~wrong for kind in (left, right))
        if a.any() and b.any() and _middle(a) > _middle(b):
            smaller = a if np.count_nonzero(a) < np.count_nonzero(b) else b
            wrong |= smaller


def _middle(region: Bits) -> float:
    """The mean column."""
    columns = region.sum(axis=0)
    return float(columns @ np.arange(len(columns)) / columns.sum())


def with_plain_background(picture: Pixels, labels: Labels, colour: NDArray[np.uint8], soft: float = 1.0) -> Pixels:
    """`picture` (H, W, 3) with `colour` (3,) where `labels` (H, W) are background; `soft`: of the edge, in pixels."""
    share = cv2.GaussianBlur((labels != classes.BACKGROUND).astype(np.float32), (0, 0), soft)
    behind = np.broadcast_to(colour, picture.shape).copy()
    return np.asarray(cv2.blendLinear(picture, behind, share, 1 - share), np.uint8)


def steadied(shown: Labels, last: Labels, now: Labels) -> Labels:
    """(H, W): the labels that are shown next: those of `now` where they are as in the frame before (`last`), and
    otherwise those that are `shown`.

    What landmarks say of a face's parts is not held back: lids and lips are faster than that.
    """
    part = _IS_PART[now] | _IS_PART[shown]
    return np.where((now == last) | part, now, shown)


_IS_PART: Final = np.isin(np.arange(256), PART_CLASSES)


class Steady:
    """Callable on the maps of frames in their order: `steadied`, with its state. A real change comes one frame late."""

    def __init__(self) -> None:
        self._shown: Labels | None = None
        self._last: Labels | None = None

    def __call__(self, labels: Labels) -> Labels:
        """(H, W); a map of another size begins anew."""
        if self._shown is None or self._last is None or self._shown.shape != labels.shape:
            self._shown = labels.copy()
        else:
            self._shown = steadied(self._shown, self._last, labels)
        self._last = labels
        return self._shown

    def forget(self) -> None:
        """Begin anew, as after a cut."""
        self._shown = self._last = None
