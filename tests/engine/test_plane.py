"""Boxes, affine maps and grids agree with one another and with NumPy's indexing."""

from __future__ import annotations

import numpy as np
import pytest

from mien.plane import Box, Grid, coarser, from_box, from_grid, into_box, inverse, placed, to_grid

MATRIX = np.array([[0.8, 0.3, -4.0], [-0.3, 0.8, 7.0]])
POINTS = np.random.default_rng(0).uniform(0, 90, (20, 2))


def test_a_box_around_points_holds_them_and_its_margin_and_no_more_than_the_picture() -> None:
    box = Box.around(np.array([[10.2, 5.0], [20.0, 39.5]]), 2, 100, 40)
    assert box is not None
    assert box == Box.between(8, 3, 23, 40)
    picture = np.arange(4000).reshape(40, 100)
    assert picture[box.area].shape == box.shape == (box.bottom - box.y, box.right - box.x)
    assert Box.around(np.array([[-9.0, 5.0], [-5.0, 9.0]]), 2, 100, 40) is None


def test_a_part_of_a_box_is_the_part_of_its_pixels() -> None:
    picture = np.arange(4000).reshape(40, 100)
    box, inner = Box(8, 3, 30, 20), Box(4, 5, 6, 7)
    np.testing.assert_array_equal(picture[box.area][inner.area], picture[box.part(inner).area])
    assert picture[box.part(inner, grown=1).area][1:-1, 1:-1].tolist() == picture[box.part(inner).area].tolist()


def test_maps_into_a_box_and_from_it_are_those_of_shifted_positions() -> None:
    box = Box(8, 3, 30, 20)
    np.testing.assert_allclose(placed(POINTS, into_box(MATRIX, box)), placed(POINTS, MATRIX) - box.corner)
    np.testing.assert_allclose(placed(POINTS - box.corner, from_box(MATRIX, box)), placed(POINTS, MATRIX))
    np.testing.assert_allclose(placed(placed(POINTS, MATRIX), inverse(MATRIX)), POINTS)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_coarser_map_leads_to_the_cell_that_covers_the_position(times: int) -> None:
    fine = placed(POINTS, MATRIX)
    np.testing.assert_allclose(placed(POINTS, coarser(MATRIX, times)), to_grid(fine, 1 / times))


def test_places_of_a_grid_are_the_middles_of_its_cells() -> None:
    grid = Grid((64, 48), (12, 16))
    places = grid.places()
    assert places.shape == (12, 16, 2)
    np.testing.assert_allclose(places[0, 0], [1.5, 1.5])
    cells = grid.cells(places.reshape(-1, 2)).reshape(places.shape)
    np.testing.assert_allclose(cells[3, 5], [5, 3], atol=1e-5)
    np.testing.assert_allclose(from_grid(to_grid(POINTS, 0.3), 0.3), POINTS)
