"""Clips of known motion, as faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.face import Face
from mien.face.topology import canonical_face
from mien_export.samples.composer import Performance, compose, performer

Clip = Callable[[NDArray[np.float64]], list[Face]]
FRAME = (640, 480)


@pytest.fixture(scope="session")
def performance() -> Performance:
    return compose(8.0, seed=5)


@pytest.fixture(scope="session")
def performed(performance: Performance) -> Clip:
    """The performance by a face of the given neutral shape (478, 3)."""

    def play(neutral: NDArray[np.float64]) -> list[Face]:
        actor = performer(neutral)
        return [Face(actor.landmarks(deed, (320.0, 240.0), 110.0), FRAME) for deed in performance.deeds]

    return play


@pytest.fixture(scope="session")
def faces(performed: Clip) -> list[Face]:
    return performed(canonical_face().points)
