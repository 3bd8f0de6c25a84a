from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.capture import image
from mien.capture.image import resized
from mien.portrait.prepare import prepare

SIZE = 128

pytest.importorskip("aiohttp", reason="aiohttp (extra `live`) is needed to serve")
pytest.importorskip("aiortc", reason="aiortc (extra `live`) is needed to serve")


@pytest.fixture(scope="session")
def driver_picture() -> NDArray[np.uint8]:
    """(256, 256, 3): a face."""
    return resized(image.read(samples.portraits()["teo"]), 256, 256)


@pytest.fixture(scope="session")
def digest_of() -> Callable[[str], str]:
    """Of a sample at the size of the tests' sessions."""

    def digest(name: str) -> str:
        (portrait,) = prepare(samples.portraits()[name], size=SIZE)
        return portrait.digest

    return digest
