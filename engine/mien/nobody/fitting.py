"""Somebody whose face lies where the parts of a given label map lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError
from mien.face import classes
from mien.face.classes import NAMES
from mien.face.crop import SIDE

Array = NDArray[np.float64]
Labels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

LEAST: Final = 6
"""Pixels of a view of side 256 below which a part is not there."""
DOUBT: Final = 1.5
"""Standard deviation in pixels of what is read off a map."""
FACE: Final = (*range(1, 8), *range(10, 13))
"""Classes inside of the outline of a face."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Landmarks at the ends of a part, whose classes are joined."""

    kinds: tuple[int, ...]
    left: int
    right: int
    top: int
    bottom: int
    needed: bool = True


RULES: Final = (
    Ends((classes.LEFT_EYE,), 33, 133, 159, 145),
    Ends((classes.RIGHT_EYE,), 362, 263, 386, 374),
    Ends((classes.UPPER_LIP, classes.LOWER_LIP, classes.MOUTH), 61, 291, 0, 17),
    Ends((classes.NOSE,), 64, 294, 168, 2),
    Ends((classes.LEFT_BROW,), 70, 107, 105, 52, needed=False),
    Ends((classes.RIGHT_BROW,), 336, 300, 334, 282, needed=False),
)


def pins(labels: Labels) -> Iterator[tuple[int, int, float]]:
    """Landmark, axis (0 across, 1 down) and place in pixels of a view of side 256, as a map (S, S) tells them.

    Raises:
        SettingError: it lacks eyes, nose or mouth.
    """
    for rule in RULES:
        box = _box(np.isin(labels, rule.kinds))
        if box is None:
            if rule.needed:
                raise SettingError(
                    f"--from: expected a map with eyes, nose and mouth, got none of the class {NAMES[rule.kinds[0]]}; "
                    "`mien parse PICTURE --output MAP.png` makes one"
                )
            continue
        (left, top), (right, bottom) = box
        yield from ((rule.left, 0, left), (rule.right, 0, right), (rule.top, 1, top), (rule.bottom, 1, bottom))
    yield from _outline(labels)


def _outline(labels: Labels) -> Iterator[tuple[int, int, float]]:
    """Chin and temples, where skin ends there."""
    face = np.isin(labels, FACE)
    eyes = _box(np.isin(labels, (classes.LEFT_EYE, classes.RIGHT_EYE)))
    box = _box(face)
    if box is None or eyes is None:
        return
    yield 152, 1, box[1][1]
    share = labels.shape[0] / SIDE
    row = min(int((eyes[0][1] + eyes[1][1]) / 2 * share), len(labels) - 1)
    columns = np.flatnonzero(face[row])
    if len(columns):
        yield 127, 0, _place(float(columns[0]), share)
        yield 356, 0, _place(float(columns[-1]), share)


def _box(where: Bits) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Left top and right bottom of a region, in pixels of a view of side 256; None: it is not there."""
    share = where.shape[0] / SIDE
    if np.count_nonzero(where) < LEAST * share**2:
        return None
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    first, last = (columns[0] - 0.5, rows[0] - 0.5), (columns[-1] + 0.5, rows[-1] + 0.5)
    return (
        (_place(float(first[0]), share), _place(float(first[1]), share)),
        (_place(float(last[0]), share), _place(float(last[1]), share)),
    )


def _place(at: float, share: float) -> float:
    return (at + 0.5) / share - 0.5
