"""Shares of classes, and parts of a face drawn into a map."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face import classes, topology
from mien.face.classes import CLASSES
from mien.parsing.maps import PART_CLASSES, class_shares, draw_parts, nearest_known, without_parts
from mien.portrait.portrait import Portrait


def test_shares_are_means_over_cells() -> None:
    labels = np.random.default_rng(0).integers(0, len(CLASSES), (12, 16), np.uint8)
    labels[labels == classes.HAT] = classes.HAIR
    out = np.full((len(CLASSES), 6, 8), 9, np.float32)
    assert class_shares(labels, out) is out
    expected = (labels[None] == np.arange(len(CLASSES))[:, None, None]).reshape(len(CLASSES), 6, 2, 8, 2).mean((2, 4))
    np.testing.assert_array_equal(out, expected)


def test_parts_are_drawn_where_landmarks_are(portrait: Portrait) -> None:
    labels = np.full(portrait.pixels.shape[:2], classes.SKIN, np.uint8)
    matrix = np.eye(2, 3)
    draw_parts(labels, portrait.landmarks, matrix)
    for outline, kind in ((topology.LEFT_EYE, classes.LEFT_EYE), (topology.RIGHT_BROW, classes.RIGHT_BROW)):
        rows, columns = np.nonzero(labels == kind)
        corners = portrait.landmarks[list(outline), :2]
        np.testing.assert_allclose([columns.min(), rows.min()], corners.min(axis=0), atol=2)
        np.testing.assert_allclose([columns.max(), rows.max()], corners.max(axis=0), atol=2)
    shifted = np.full_like(labels, classes.SKIN)
    draw_parts(shifted, portrait.landmarks, matrix + np.array([[0.0, 0, 8], [0, 0, 0]]))
    np.testing.assert_array_equal(shifted[:, 8:], labels[:, :-8])
    assert set(np.unique(labels)) <= {classes.SKIN, *PART_CLASSES}
    assert (without_parts(labels) == classes.SKIN).all()
    worn = np.full_like(labels, classes.GLASSES)
    draw_parts(worn, portrait.landmarks, matrix)
    assert set(np.unique(worn)) == {classes.GLASSES, classes.LEFT_EYE, classes.RIGHT_EYE}


@pytest.mark.parametrize("otherwise", [classes.HAIR, classes.CLOTH])
def test_what_is_not_known_is_as_the_nearest(otherwise: int) -> None:
    labels = np.repeat(np.array([[1, 2]], np.uint8), 8, axis=1)
    known = np.zeros(labels.shape, bool)
    known[0, [0, 15]] = True
    np.testing.assert_array_equal(nearest_known(labels, known), labels)
    assert (nearest_known(labels, known & False, otherwise) == otherwise).all()
