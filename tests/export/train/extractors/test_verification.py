"""Verification figures on similarities that are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien_export.train.extractors.embedding_training import verified

PEOPLE = np.repeat(np.arange(10), 2)


def unit(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.cos(angles), np.sin(angles)])


def test_people_apart_are_told_apart() -> None:
    found = verified(unit(PEOPLE * 0.5 + np.tile([0.0, 0.01], 10)), PEOPLE)
    assert (found.genuine, found.impostor) == (10, 180)
    assert (found.area, found.equal_error, found.at_one_per_cent) == (1.0, 0.0, 1.0)
    assert np.cos(0.49) < found.threshold <= np.cos(0.01) + 1e-9


def test_chance_is_a_half() -> None:
    people = np.repeat(np.arange(300), 2)
    found = verified(unit(np.random.default_rng(0).uniform(0, 2 * np.pi, 600)), people)
    assert found.area == pytest.approx(0.5, abs=0.04)
    assert found.equal_error == pytest.approx(0.5, abs=0.04)


def test_equal_similarities_count_half() -> None:
    assert verified(unit(np.zeros(20)), PEOPLE).area == 0.5
