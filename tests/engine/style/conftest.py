"""The packaged styles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.style.opening import open_styler
from mien.style.styler import Styler


@pytest.fixture(scope="session")
def styler() -> Iterator[Styler]:
    with open_styler(1) as opened:
        yield opened


@pytest.fixture(scope="session")
def mix(styler: Styler) -> NDArray[np.float32]:
    """The first style."""
    return np.array([1] + [0] * (len(styler.names) - 1), np.float32)
