from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.capture import image
from mien.capture.image import resized

pytest.importorskip("aiohttp", reason="aiohttp (extra `live`) is needed to serve")
pytest.importorskip("aiortc", reason="aiortc (extra `live`) is needed to serve")


@pytest.fixture(scope="session")
def driver_picture() -> NDArray[np.uint8]:
    """(256, 256, 3): a face."""
    return resized(image.read(samples.portraits()["teo"]), 256, 256)
