from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.face.pose import Similarity, fit_similarity

seeds = st.integers(0, 2**32 - 1)


def _rotation(rng: np.random.Generator, dimensions: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    q, r = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q)


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from([2, 3]), st.floats(1e-2, 1e3), st.integers(4, 40))
def test_a_planted_similarity_is_recovered(seed: int, dimensions: int, scale: float, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, dimensions))
    planted = Similarity(_rotation(rng, dimensions), rng.normal(size=dimensions) * 100, scale)
    found = fit_similarity(points, planted.apply(points), rng.uniform(0.1, 1.0, count))
    np.testing.assert_allclose(found.rotation, planted.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation, planted.translation, atol=1e-8 * (scale + 100))
    assert found.scale == pytest.approx(scale, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_a_mirrored_set_is_never_answered_by_a_reflection(seed: int, dimensions: int) -> None:
    points = np.random.default_rng(seed).normal(size=(12, dimensions))
    found = fit_similarity(points, points * ([-1.0] + [1.0] * (dimensions - 1)))
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
    assert found.scale >= 0


def test_weights_of_zero_leave_points_out() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(10, 3))
    spoiled = points.copy()
    spoiled[0] += 50
    weights = np.ones(10)
    weights[0] = 0.0
    found = fit_similarity(points, spoiled, weights)
    np.testing.assert_allclose(found.rotation, np.eye(3), atol=1e-12)


def test_undo_is_the_inverse_of_apply() -> None:
    rng = np.random.default_rng(2)
    one = Similarity(_rotation(rng, 3), np.array([3.0, -7.0, 2.0]), 42.0)
    points = rng.normal(size=(6, 3))
    np.testing.assert_allclose(one.undo(one.apply(points)), points, atol=1e-12)


def test_too_few_points_and_points_without_extent_are_refused() -> None:
    with pytest.raises(ValueError, match="needs as many points, got 2"):
        fit_similarity(np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="do not coincide"):
        fit_similarity(np.ones((5, 3)), np.ones((5, 3)))
