"""How much of the guides' face shape reaches the answers, judged by landmarks that do not drive the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.bootstrap import by_identity
from mien_bench.quality.shape_fit import ShapeFit

Array = NDArray[np.float64]

PROPORTIONS: Final = ("width_to_height", "nose_width", "eye_width")
"""Of the face without pose and expression, as logarithms; widths in distances of the outer eye corners."""

_JAW, _HEIGHT, _NOSTRILS, _EYES = (1, 15), (27, 8), (31, 35), ((36, 39), (42, 45))


def proportions(fit: ShapeFit) -> Array:
    """(3,): `PROPORTIONS` of the person's own shape."""
    shape = fit.own_shape
    eyes = abs(shape[45, 0] - shape[36, 0])
    width, height = abs(np.subtract(*shape[list(_JAW), 0])), abs(np.subtract(*shape[list(_HEIGHT), 1]))
    nose = abs(np.subtract(*shape[list(_NOSTRILS), 0]))
    eye = np.mean([abs(np.subtract(*shape[list(pair), 0])) for pair in _EYES])
    return np.asarray(np.log([width / height, nose / eyes, eye / eyes]))


def shape_leak(rows: Sequence[tuple[str, str, Array, Array]]) -> float:
    """Share of a difference between guides that shows between their answers: 0 is none, 1 is all of it.

    Args:
        rows: (reference, guide, proportions of the guide, proportions of the answer), each (3,).

    For each proportion the slope of the regression of the answers' on the guides', within each reference, so that what
    a reference looks like, and errors in measuring it, cancel out; then the mean. Pictures of one guide are averaged
    first, since the fit takes some of an expression for shape; what is left of that counts as leak in every model.
    NaN where no guides differ.
    """
    moved, given = [], []
    for reference in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == reference]
        names = [row[1] for row in own]
        guides = by_identity(names, np.array([row[2] for row in own]))
        answers = by_identity(names, np.array([row[3] for row in own]))
        given.append(_centred(guides))
        moved.append(_centred(answers))
    over = (np.concatenate(given) * np.concatenate(moved)).sum(axis=0)
    under = (np.concatenate(given) ** 2).sum(axis=0)
    return float((over / under).mean()) if (under > 1e-12).all() else float("nan")


def _centred(means: Mapping[str, Array]) -> Array:
    values = np.array(list(means.values()))
    return np.asarray(values - values.mean(axis=0))
