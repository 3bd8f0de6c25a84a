"""Labels corrected by what a network says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face.classes import BACKGROUND, CLASSES, CLOTH, HAIR, SKIN
from mien_export.families.parsing.refining import corrected


def _shares(*pixels: dict[int, float]) -> NDArray[np.float64]:
    """(19, 1, N) of so many pixels, what is left spread over the other classes."""
    out = np.empty((len(CLASSES), 1, len(pixels)))
    for column, given in enumerate(pixels):
        out[:, 0, column] = (1 - sum(given.values())) / (len(CLASSES) - len(given))
        for kind, share in given.items():
            out[kind, 0, column] = share
    return out


def test_labels_change_where_the_network_is_sure() -> None:
    labels = np.array([[HAIR, HAIR, SKIN, 255, 255]], np.uint8)
    shares = _shares({CLOTH: 0.9}, {CLOTH: 0.7, HAIR: 0.2}, {SKIN: 0.5}, {BACKGROUND: 0.7}, {BACKGROUND: 0.5})
    assert corrected(labels, shares).tolist() == [[CLOTH, HAIR, SKIN, BACKGROUND, 255]]


def test_labels_that_hardly_can_be_become_unknown() -> None:
    labels = np.array([[HAIR]], np.uint8)
    assert corrected(labels, _shares({CLOTH: 0.8, HAIR: 0.02})).tolist() == [[255]]
