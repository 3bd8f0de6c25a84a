"""rasterize_parts: against the reference, against counting winding numbers, and outlines that are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien_kernels import ops, reference

COVERAGE_TOLERANCE = 1e-4
"""Of a share of a pixel: float32 sums along a row against float64 areas."""
COUNTING_TOLERANCE = 0.13
"""Two edges through one pixel, each off by one of 16 columns of samples."""
SAMPLES = 16

Rng = np.random.Generator
Floats = NDArray[np.float32]
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
lengths = st.integers(1, 50)
threads = st.sampled_from([1, 3])
many = settings(max_examples=60, deadline=None)


def floats(values: Sequence[Any]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def ints(values: Sequence[Any]) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def one(points: Floats, size: tuple[int, int], n: int = 1) -> Floats:
    filled: Floats = ops.rasterize_parts(points, ints([0, len(points)]), ints([0]), threads=n, size=(1, *size))[0]
    return filled


@many
@given(
    rng=rngs, size=st.tuples(st.integers(1, 5), lengths, lengths), counts=st.lists(st.integers(0, 9), max_size=6),
    step=st.sampled_from([1e-6, 0.5, 1.0]), n=threads,
)  # fmt: skip
def test_as_in_the_reference(
    isa: str, rng: Rng, size: tuple[int, int, int], counts: list[int], step: float, n: int
) -> None:
    points = (np.round(rng.uniform(-30, 80, (sum(counts), 2)) / step) * step).astype(np.float32)
    starts = np.cumsum([0, *counts]).astype(np.int32)
    channels = rng.integers(0, size[0], len(counts)).astype(np.int32)
    got = ops.rasterize_parts(points, starts, channels, threads=n, size=size)
    expected = reference.rasterize_parts(points, starts, channels, size)
    np.testing.assert_allclose(got, expected, atol=COVERAGE_TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(rng=rngs, count=st.integers(3, 9))
def test_non_zero_winding_of_outlines_that_cross_themselves(isa: str, rng: Rng, count: int) -> None:
    points = rng.uniform(-4, 24, (count, 2)).astype(np.float32)
    numbers = winding_numbers(points.astype(np.float64), (20, 20))
    alike = numbers.min(axis=(1, 3)) == numbers.max(axis=(1, 3))
    inside = np.minimum(np.abs(numbers[:, 0, :, 0]), 1)
    np.testing.assert_allclose(one(points, (20, 20))[alike], inside[alike], atol=COUNTING_TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(rng=rngs, count=st.integers(3, 12))
def test_coverage_of_convex_outlines(isa: str, rng: Rng, count: int) -> None:
    angles = np.sort(rng.uniform(0, 2 * np.pi, count)) * rng.choice([-1, 1])
    points = (rng.uniform(5, 15, 2) + 9 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)
    share = (winding_numbers(points.astype(np.float64), (20, 20)) != 0).mean(axis=(1, 3))
    np.testing.assert_allclose(one(points, (20, 20)), share, atol=COUNTING_TOLERANCE)


def winding_numbers(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.int64]:
    """(H, SAMPLES, W, SAMPLES): the winding number at each of SAMPLES x SAMPLES points of each pixel."""
    height, width = size
    y = ((np.arange(height * SAMPLES) + 0.5) / SAMPLES - 0.5)[:, None]
    x = ((np.arange(width * SAMPLES) + 0.5) / SAMPLES - 0.5)[None, :]
    numbers = np.zeros((y.size, x.size), np.int64)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
        left = ax + (y - ay) * ((bx - ax) / (by - ay)) < x if ay != by else np.zeros_like(numbers, bool)
        numbers += (left & (ay <= y) & (y < by)).astype(int) - (left & (by <= y) & (y < ay)).astype(int)
    return numbers.reshape(height, SAMPLES, width, SAMPLES)


def test_areas_are_exact(isa: str) -> None:
    square = floats([[1.25, 2.5], [6.25, 2.5], [6.25, 5.0], [1.25, 5.0]])
    for outline in (square, square[::-1].copy()):
        filled = one(outline, (9, 9))
        assert filled.sum() == pytest.approx(12.5, abs=1e-5)
        assert filled[3, 3] == 1.0
        assert filled[3, 1] == pytest.approx(0.25)
        assert (filled[:, 7:] == 0).all()


def test_outlines_of_one_channel_join_by_the_larger(isa: str) -> None:
    left = floats([[0.5, 0.5], [4.0, 0.5], [4.0, 4.5], [0.5, 4.5]])
    points = np.concatenate([left, left + floats([1, 0])])
    both = ops.rasterize_parts(points, ints([0, 4, 8]), ints([1, 1]), size=(2, 6, 8))
    assert (both[1] == np.maximum(one(left, (6, 8)), one(points[4:].copy(), (6, 8)))).all()
    assert (both[0] == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outlines_that_are_not_finite_fill_nothing(isa: str, bad: float) -> None:
    points = floats([[0, 0], [5, 0], [5, 5]])
    points[1, 1] = bad
    assert (one(points, (8, 8)) == 0).all()


def test_a_huge_outline_fills_everything(isa: str) -> None:
    points = floats([[-1e5, -1e5], [1e5, -1e5], [1e5, 1e5], [-1e5, 1e5]])
    np.testing.assert_allclose(one(points, (20, 2100), 2), 1.0, atol=COVERAGE_TOLERANCE)


@pytest.mark.parametrize("size", [(0, 4, 4), (2, 0, 4), (2, 4, 0)])
def test_empty_output(isa: str, size: tuple[int, int, int]) -> None:
    nothing = np.zeros(0, np.int32)
    points = np.zeros((0, 2), np.float32)
    assert ops.rasterize_parts(points, np.zeros(1, np.int32), nothing, size=size).shape == size
