from __future__ import annotations

import numpy as np
import pytest

from mien_bench.quality.summary import by_identity, difference, mean_of


def test_a_clear_difference_is_sure_and_noise_is_not() -> None:
    random = np.random.default_rng(0)
    first = random.normal(10, 3, 40)
    better = difference(first, first - 1 + random.normal(0, 0.5, 40))
    same = difference(first, first + random.normal(0, 0.5, 40))
    assert better.sure
    assert better.low < better.mean < better.high < 0
    assert better.mean == pytest.approx(-1, abs=0.2)
    assert not same.sure


def test_identities_that_lack_one_side_are_left_out() -> None:
    found = difference(np.array([1.0, np.nan, 3.0]), np.array([2.0, 5.0, 4.0]))
    assert (found.mean, found.count) == (1.0, 2)
    nothing = difference(np.array([np.nan]), np.array([1.0]))
    assert nothing.count == 0
    assert not nothing.sure


def test_an_identity_counts_once_however_many_answers_it_has() -> None:
    values = np.array([[1.0, np.nan], [3.0, 4.0], [10.0, np.nan]])
    means = by_identity(["a", "a", "b"], values)
    assert means["a"] == pytest.approx([2.0, 4.0])
    assert mean_of(np.array(list(means.values()))) == pytest.approx([6.0, 4.0])


def test_intervals_are_the_same_each_time() -> None:
    first, second = np.arange(9.0), np.arange(9.0) ** 1.1
    assert difference(first, second) == difference(first, second)
