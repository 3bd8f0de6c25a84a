"""Faces that several rooms are tested on: the packaged portraits, and performers whose motion is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.api import prepare
from mien.capture import image
from mien.face.canonical import canonical_face
from mien.parse.models import FaceMesh
from mien.portrait import Portrait
from mien_export.samples.composer import Performer, performer

NAMES = ("aldo", "mira", "teo")


@pytest.fixture(scope="session")
def still_mesh() -> Iterator[FaceMesh]:
    with FaceMesh(still=True, most=5) as mesh:
        yield mesh


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    found = samples.portraits()
    return {name: image.read(found[name]) for name in NAMES}


@pytest.fixture(scope="session")
def portraits(pictures: dict[str, NDArray[np.uint8]]) -> dict[str, Portrait]:
    return {name: prepare(pixels)[0] for name, pixels in pictures.items()}


@pytest.fixture(scope="session")
def portrait(portraits: dict[str, Portrait]) -> Portrait:
    return portraits["aldo"]


@pytest.fixture(scope="session")
def canonical_performer() -> Performer:
    return performer(canonical_face().points)
