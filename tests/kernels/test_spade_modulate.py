"""spade_modulate: against the reference on every instruction set; means that drown their variance; order of threads."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien_kernels import _native, ops, reference

TOLERANCE = 2e-5
"""Of results around 1, whose float32 sums differ from the reference's float64 ones by a few units in the last place."""

Layout = Literal["nchw", "nhwc"]
Rng = np.random.Generator
Floats = NDArray[np.float32]

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
batches = st.integers(1, 5)
channel_counts = st.sampled_from([1, 2, 3, 16, 17, 64, 259])
sides = st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 31, 33, 47]))
layouts: st.SearchStrategy[Layout] = st.sampled_from(["nchw", "nhwc"])
slopes = st.sampled_from([1.0, 0.2, 0.0])
threads = st.sampled_from([1, 3])
many = settings(max_examples=60, deadline=None)
both = pytest.mark.parametrize("layout", ["nchw", "nhwc"])


def floats(values: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(values, np.float32)


def shaped(layout: Layout, batch: int, channels: int, height: int, width: int) -> tuple[int, int, int, int]:
    return (batch, channels, height, width) if layout == "nchw" else (batch, height, width, channels)


def modulation(rng: Rng, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    return floats(rng.normal(0, 0.5, shape)), floats(rng.normal(0, 0.5, shape))


def assert_close(got: Floats, expected: Floats, tolerance: float = TOLERANCE) -> None:
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@many
@given(
    rng=rngs, batch=batches, channels=channel_counts, height=sides, width=sides, layout=layouts, slope=slopes, n=threads
)
def test_as_in_the_reference(
    isa: str, rng: Rng, batch: int, channels: int, height: int, width: int, layout: Layout, slope: float, n: int
) -> None:
    shape = shaped(layout, batch, channels, height, width)
    x = floats(rng.normal(rng.uniform(-2, 2), rng.uniform(0.5, 2), shape))
    gamma, beta = modulation(rng, shape)
    expected = reference.spade_modulate(x, gamma, beta, slope, layout=layout)
    assert_close(ops.spade_modulate(x, gamma, beta, slope=slope, layout=layout, threads=n), expected)
    assert ops.spade_modulate(x, gamma, beta, x, slope, layout=layout, threads=n) is x
    assert_close(x, expected)


@both
@pytest.mark.parametrize("side", [9, 150])
def test_a_large_mean_keeps_its_variance(isa: str, layout: Layout, side: int) -> None:
    rng = np.random.default_rng(0)
    shape = shaped(layout, 1, 3, side, side)
    x = floats(rng.normal(1000, 0.01, shape))
    gamma, beta = modulation(rng, shape)
    expected = reference.spade_modulate(x, gamma, beta, layout=layout)
    assert_close(ops.spade_modulate(x, gamma, beta, layout=layout, threads=2), expected)


@both
@pytest.mark.parametrize("first", [1000.0, -3e4])
def test_the_first_values_may_be_unlike_the_rest(isa: str, layout: Layout, first: float) -> None:
    rng = np.random.default_rng(1)
    shape = shaped(layout, 1, 2, 150, 140)
    x = floats(rng.normal(0, 0.01, shape))
    for unlike in (1, 20_000):
        planes = x.copy() if layout == "nchw" else x.transpose(0, 3, 1, 2).copy()
        planes.reshape(2, -1)[:, :unlike] += first
        spoilt = planes if layout == "nchw" else floats(planes.transpose(0, 2, 3, 1))
        gamma, beta = modulation(rng, shape)
        expected = reference.spade_modulate(spoilt, gamma, beta, layout=layout)
        got = ops.spade_modulate(spoilt, gamma, beta, layout=layout)
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE * np.abs(expected).max())


@both
def test_values_of_16_bits(isa: str, layout: Layout) -> None:
    rng = np.random.default_rng(2)
    shape = shaped(layout, 2, 5, 65, 64)
    x = floats(rng.normal(2000, 1, shape).astype(np.float16))  # spaced by 1: many equal values
    gamma, beta = (floats(part.astype(np.float16)) for part in modulation(rng, shape))
    expected = reference.spade_modulate(x, gamma, beta, 0.2, layout=layout)
    assert_close(ops.spade_modulate(x, gamma, beta, slope=0.2, layout=layout), expected)


@both
@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, 12345.678])
def test_planes_of_one_value_become_beta(isa: str, layout: Layout, value: float) -> None:
    shape = shaped(layout, 1, 3, 21, 23)
    gamma, beta = modulation(np.random.default_rng(3), shape)
    got = ops.spade_modulate(np.full(shape, value, np.float32), gamma, beta, layout=layout)
    assert_close(got, beta)


@both
def test_planes_of_one_pixel_become_beta(isa: str, layout: Layout) -> None:
    shape = shaped(layout, 2, 40, 1, 1)
    rng = np.random.default_rng(4)
    gamma, beta = modulation(rng, shape)
    got = ops.spade_modulate(floats(rng.normal(5, 9, shape)), gamma, beta, slope=0.0, layout=layout)
    assert (got == np.maximum(beta, 0)).all()


@both
def test_instruction_sets_and_thread_counts_give_the_same_bits(layout: Layout) -> None:
    rng = np.random.default_rng(5)
    shape = shaped(layout, 3, 70, 61, 67)
    x, (gamma, beta) = floats(rng.normal(3, 1, shape)), modulation(rng, shape)
    before = _native.selected_isa()
    results = []
    for isa in _native.available_isas():
        assert _native.select_isa(isa)
        results += [ops.spade_modulate(x, gamma, beta, layout=layout, threads=n) for n in (1, 5)]
    assert _native.select_isa(before)
    assert all((result == results[0]).all() for result in results)


@both
def test_one_bad_plane_spoils_no_other(isa: str, layout: Layout) -> None:
    shape = shaped(layout, 1, 2, 8, 8)
    x = np.ones(shape, np.float32)
    x[(0, 1, 2, 2) if layout == "nchw" else (0, 2, 2, 1)] = np.nan
    got = ops.spade_modulate(x, x * 0, np.ones(shape, np.float32), layout=layout)
    planes = got if layout == "nchw" else got.transpose(0, 3, 1, 2)
    assert np.isnan(planes[0, 1]).all()
    assert (planes[0, 0] == 1).all()


@both
@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 0, 4, 4), (2, 3, 0, 4), (2, 3, 4, 0)])
def test_empty(isa: str, layout: Layout, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    assert ops.spade_modulate(x, x.copy(), x.copy(), layout=layout).shape == shape
