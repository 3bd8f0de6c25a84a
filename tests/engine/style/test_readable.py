"""Strokes weigh less in a face."""

from __future__ import annotations

import numpy as np

from mien.portrait.portrait import Portrait
from mien.style.readable import SHARE, face_outline, weaken


def test_strokes_weigh_less_inside_of_the_outline_and_as_before_beside_it(portrait: Portrait) -> None:
    outline = face_outline(portrait.landmarks)
    into = np.array([[0.25, 0, 3.0], [0, 0.25, -2.0]])
    strokes = np.ones((128, 136, 3), np.float32)
    weaken(strokes, outline, into)
    assert strokes.min() >= SHARE - 1e-6
    x, y = np.rint(outline.mean(axis=0) @ into[:, :2].T + into[:, 2]).astype(int)
    np.testing.assert_allclose(strokes[y, x], SHARE, atol=1e-3)
    np.testing.assert_array_equal(strokes[[0, 0, -1, -1], [0, -1, 0, -1]], 1)
    steps = np.abs(np.diff(strokes[..., 0], axis=1)).max()
    assert steps < 0.5 * (1 - SHARE), "the outline is soft"


def test_a_face_that_is_not_in_the_picture_changes_nothing() -> None:
    strokes = np.ones((16, 16, 3), np.float32)
    weaken(strokes, np.array([[900.0, 900.0], [980.0, 900.0], [940.0, 990.0]]), np.eye(2, 3))
    np.testing.assert_array_equal(strokes, 1)
