"""How much of the guides' face shape reaches the answers, judged by landmarks that do not drive the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

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


def shape_leak(rows: Sequence[tuple[str, Array, Array]]) -> float:
    """Share of a difference between guides that shows between their answers: 0 is none, 1 is all of it.

    Args:
        rows: (reference, proportions of the guide, proportions of the answer), each (3,).

    For each proportion the slope of the regression of the answer's on the guide's, within each reference, so that what
    a reference looks like, and errors in measuring it, cancel out; then the mean. NaN where no guides differ.
    Expression that the fit takes for shape counts as leak, also in an answer without any.
    """
    moved, given = [], []
    for reference in dict.fromkeys(name for name, _, _ in rows):
        own = [(guide, answer) for name, guide, answer in rows if name == reference]
        guides, answers = (np.array(part) for part in zip(*own, strict=True))
        given.append(guides - guides.mean(axis=0))
        moved.append(answers - answers.mean(axis=0))
    over = (np.concatenate(given) * np.concatenate(moved)).sum(axis=0)
    under = (np.concatenate(given) ** 2).sum(axis=0)
    return float((over / under).mean()) if (under > 1e-12).all() else float("nan")
