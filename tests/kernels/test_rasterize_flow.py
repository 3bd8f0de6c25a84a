"""rasterize_flow: against the reference, no crack and no double hit, and what has no area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien_kernels import ops, reference

FLOW_TOLERANCE = 1e-3
"""Pixels. A row's first pixel is exact to float32; from there on it is walked with a float32 slope."""
DEPTH_TOLERANCE = 1e-4
"""Of depths around 1; nearer ones than this apart may come out in either order."""

Rng = np.random.Generator
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
lengths = st.integers(1, 70)
threads = st.sampled_from([1, 3])
many = settings(max_examples=60, deadline=None)


def floats(values: Sequence[Any]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def ints(values: Sequence[Any]) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def jittered_grid(rng: Rng, size: tuple[int, int], cell: int, step: float) -> tuple[Floats, Ints]:
    """A planar triangulation of more than a picture: every cell cut along either diagonal, in either winding.

    Corners stand on multiples of `step` px, so that with large steps many pixel centres lie on edges and corners. They
    move by less than a quarter of a cell, beyond which triangles could turn over and overlap.
    """
    rows, columns = size[0] // cell + 4, size[1] // cell + 4
    y, x = np.indices((rows, columns))
    points = (np.stack([x, y], axis=2) - 1.5) * cell + rng.uniform(-0.18, 0.18, (rows, columns, 2)) * cell
    corners = np.round(points / step) * step
    a = (y * columns + x)[:-1, :-1].ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    other = rng.random((a.size, 1)) < 0.5
    first = np.where(other, np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where(other, np.stack([d, b, c], 1), np.stack([a, d, c], 1))
    triangles = np.concatenate([first, second])
    turned = rng.random(len(triangles)) < 0.5
    triangles[turned] = triangles[turned][:, ::-1]
    return corners.reshape(-1, 2).astype(np.float32), triangles.astype(np.int32)


def with_depth(points: Floats, depth: Floats | float) -> Floats:
    return np.concatenate([points, np.broadcast_to(np.float32(depth), (len(points),))[:, None]], axis=1)


@settings(max_examples=20, deadline=None)  # each draws every triangle by itself
@given(rng=rngs, size=st.tuples(lengths, lengths), step=st.sampled_from([1 / 256, 0.25, 0.5, 1.0]), n=threads)
def test_every_pixel_of_a_triangulation_is_hit_once(
    isa: str, rng: Rng, size: tuple[int, int], step: float, n: int
) -> None:
    points, triangles = jittered_grid(rng, size, 8, step)
    target = with_depth(points, 1.0)
    hits = np.zeros(size, int)
    for i in range(len(triangles)):
        hits += np.isfinite(ops.rasterize_flow(target, points, triangles[i : i + 1], threads=n, size=size)[1])
    assert (hits == 1).all()


@many
@given(rng=rngs, size=st.tuples(lengths, lengths), n=threads)
def test_an_unmoved_mesh_gives_identity(isa: str, rng: Rng, size: tuple[int, int], n: int) -> None:
    points, triangles = jittered_grid(rng, size, 9, 1 / 256)
    flow, depth = ops.rasterize_flow(with_depth(points, 0.5), points, triangles, threads=n, size=size)
    rows, columns = np.indices(size)
    np.testing.assert_allclose(flow, np.stack([columns, rows], axis=2), atol=FLOW_TOLERANCE)
    assert (depth == 0.5).all()


@many
@given(rng=rngs, size=st.tuples(lengths, lengths), count=st.integers(0, 12), snap=st.booleans(), n=threads)
def test_overlapping_triangles_as_in_the_reference(
    isa: str, rng: Rng, size: tuple[int, int], count: int, snap: bool, n: int
) -> None:
    target = rng.uniform([-20, -20, 0], [90, 90, 1], (9, 3)).astype(np.float32)
    if snap:
        target[:, :2] = np.round(target[:, :2])
    source = rng.uniform(0, 100, (9, 2)).astype(np.float32)
    triangles = rng.integers(0, 9, (count, 3)).astype(np.int32)
    flow, depth = ops.rasterize_flow(target, source, triangles, threads=n, size=size)
    expected_flow, expected_depth = reference.rasterize_flow(target, source, triangles, size)
    assert (np.isfinite(depth) == np.isfinite(expected_depth)).all()
    np.testing.assert_allclose(depth, expected_depth, atol=DEPTH_TOLERANCE)
    clear = depth_gap(target, triangles, size) > DEPTH_TOLERANCE
    np.testing.assert_allclose(flow[clear], expected_flow[clear], atol=FLOW_TOLERANCE)


def depth_gap(target: Floats, triangles: Ints, size: tuple[int, int]) -> NDArray[np.float64]:
    """How far the nearest triangle lies before the next one at each pixel."""
    depths = np.full((len(triangles) + 2, *size), np.inf)
    for i, triangle in enumerate(triangles):
        inside, shares = reference.coverage(target[triangle, :2].astype(np.float64), size)
        depths[i][inside] = (shares @ target[triangle, 2])[inside]
    depths[len(triangles)] = 1e9  # a last one, so that a single triangle has a next
    ordered = np.sort(depths, axis=0)
    gap: NDArray[np.float64] = ordered[1] - ordered[0]
    return gap


def test_the_nearer_wins_and_the_first_of_equals(isa: str) -> None:
    points = floats([[-5, -5], [50, -5], [-5, 50]])
    target = np.concatenate([with_depth(points, z) for z in (2.0, 1.0, 1.0)])
    source = np.repeat(floats([[1, 1], [2, 2], [3, 3]]), 3, axis=0)
    triangles = np.arange(9, dtype=np.int32).reshape(3, 3)
    flow, depth = ops.rasterize_flow(target, source, triangles, size=(8, 8))
    assert (flow == 2).all()
    assert (depth == 1).all()


NOT_FINITE = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize(
    ("axis", "bad"),
    [(axis, bad) for axis in (0, 1) for bad in (*NOT_FINITE, 3e6, -1e30)] + [(2, bad) for bad in NOT_FINITE],
)
def test_triangles_out_of_reach_are_skipped(isa: str, axis: int, bad: float) -> None:
    target = floats([[0, 0, 1], [40, 0, 1], [0, 40, 1]])
    target[1, axis] = bad
    depth = ops.rasterize_flow(target, target[:, :2].copy(), ints([[0, 1, 2]]), size=(16, 16))[1]
    assert np.isinf(depth).all()


@pytest.mark.parametrize("corners", [[[3, 3]] * 3, [[0, 0], [5, 5], [9, 9]], [[2, 2], [2, 2], [9, 4]]])
def test_triangles_without_area_are_skipped(isa: str, corners: list[list[float]]) -> None:
    points = floats(corners)
    flow, depth = ops.rasterize_flow(with_depth(points, 1.0), points, ints([[0, 1, 2]]), size=(12, 12))
    rows, columns = np.indices((12, 12))
    assert (flow == np.stack([columns, rows], axis=2)).all()
    assert np.isinf(depth).all()


def test_far_corners_and_slivers_stay_exact(isa: str) -> None:
    points = floats([[-2e6, -2e6], [2e6, -2e6], [0, 2e6], [10, 10], [10.01, 10], [10, 300]])
    triangles = ints([[0, 1, 2], [3, 4, 5]])
    flow, depth = ops.rasterize_flow(with_depth(points, 1.0), points, triangles, size=(40, 40))
    rows, columns = np.indices((40, 40))
    np.testing.assert_allclose(flow, np.stack([columns, rows], axis=2), atol=0.3)  # float32 holds 2e6 to 1/8 px
    assert (depth == 1).all()


@pytest.mark.parametrize("size", [(0, 0), (0, 4), (4, 0)])
def test_empty_output(isa: str, size: tuple[int, int]) -> None:
    flow, depth = ops.rasterize_flow(
        np.zeros((3, 3), np.float32), np.zeros((3, 2), np.float32), ints([[0, 1, 2]]), size=size
    )
    assert flow.shape == (*size, 2)
    assert depth.shape == size
