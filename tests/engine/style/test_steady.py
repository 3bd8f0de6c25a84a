"""Strokes that keep from frame to frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.reenact.reenact import Reenact
from mien.style.steady import KEPT, SteadyStrokes

Floats = NDArray[np.float32]
ROWS, COLUMNS = 64, 56
WAY = 3
"""Cells by which the face moves."""


@pytest.fixture
def posed(portrait: Portrait) -> Posed:
    """The portrait at rest."""
    return Reenact((portrait,))(None, 0.0)[0]


@pytest.fixture
def into(posed: Posed) -> NDArray[np.float64]:
    """Puts the face in the middle of the patch, larger than the patch."""
    scale = 1.5 * COLUMNS / float(np.ptp(posed.landmarks[:, 0]))
    middle = posed.landmarks[:, :2].mean(0)
    return np.array([[scale, 0, COLUMNS / 2 - scale * middle[0]], [0, scale, ROWS / 2 - scale * middle[1]]])


def _strokes(seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((3, ROWS, COLUMNS)).astype(np.float32)


def _seen() -> Floats:
    """A soft picture of twice the size."""
    rows, columns = np.mgrid[: 2 * ROWS, : 2 * COLUMNS].astype(np.float32)
    waves = [np.sin(rows / 9), np.cos(columns / 9), np.sin((rows + columns) / 9)]
    return np.asarray(np.stack(waves), dtype=np.float32)


def _right(values: Floats, cells: int) -> Floats:
    out: Floats = np.roll(values, cells, axis=2).copy()
    return out


def test_strokes_are_carried_by_the_mesh_and_averaged(posed: Posed, into: NDArray[np.float64]) -> None:
    steady, first, second = SteadyStrokes(), _strokes(0), _strokes(1)
    seen = _seen()
    np.testing.assert_array_equal(steady(first, seen, into, posed), first.transpose(1, 2, 0))
    vertices = posed.vertices.copy()
    vertices[:, 0] += WAY / into[0, 0]
    moved = replace(posed, vertices=vertices)
    before, after = (placed(mesh.astype(np.float64), into) for mesh in (posed.vertices, vertices))
    np.testing.assert_allclose(after[:, 0], before[:, 0] + WAY, atol=1e-3)
    found = steady(second, _right(seen, 2 * WAY), into, moved)
    wanted = KEPT * _right(first, WAY) + (1 - KEPT) * second
    middle = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(found[middle], wanted.transpose(1, 2, 0)[middle], atol=0.02)


def test_where_pictures_differ_new_strokes_count_alone(posed: Posed, into: NDArray[np.float64]) -> None:
    steady, first, second = SteadyStrokes(), _strokes(0), _strokes(1)
    seen = _seen()
    steady(first, seen, into, posed)
    opened = seen.copy()
    opened[:, 40:80, 40:80] *= -1
    opened[:, 40:80, 40:80] += 0.7
    found = steady(second, opened, into, posed)
    alone = np.abs(found - second.transpose(1, 2, 0)).max(-1)
    apart = np.abs(opened - seen).max(0).reshape(ROWS, 2, COLUMNS, 2).min((1, 3))
    assert (alone[apart > 0.6] == 0).all()
    assert np.median(alone[:16]) > 0.3


@pytest.mark.parametrize("change", ["cut", "another size"])
def test_after_a_cut_nothing_is_carried(posed: Posed, into: NDArray[np.float64], change: str) -> None:
    steady, first, second = SteadyStrokes(), _strokes(0), _strokes(1)
    steady(first, _seen(), into, posed)
    if change == "cut":
        posed = replace(posed, shot=posed.shot + 1)
    else:
        second = np.ascontiguousarray(second[:, :-8])
    seen = _seen()[:, : 2 * second.shape[1]]
    np.testing.assert_array_equal(steady(second, seen, into, posed), second.transpose(1, 2, 0))
