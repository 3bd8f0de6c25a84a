"""What finds faces and their landmarks, and which kinds of it there are."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mien.config import Landmarks
from mien.plane import Bounds

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SURE, SURE_OF_BOX = 0.4, 0.4
"""Least score of a face: for its landmarks to be tracked on, and for a detector's box."""


class Landmarker(Protocol):
    """Landmarks of faces in pictures, one after the other; by one thread at a time."""

    def __call__(self, pixels: Pixels) -> list[Array]:
        """Landmarks (478, 3) of each face in `pixels` (H, W, 3): x, y in pixels, z in the scale of x."""
        ...

    def boxes(self, pixels: Pixels) -> list[Bounds]:
        """Boxes of faces in `pixels` (H, W, 3), largest first; also of some whose landmarks are not found."""
        ...

    def forget(self) -> None:
        """Do not track on from the last call."""
        ...

    def close(self) -> None:
        """Let go of the networks."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_landmarker(kind: Landmarks, *, still: bool, most: int = 1) -> Landmarker:
    """One of this kind.

    Args:
        still: faces are looked for in each picture anew, not tracked from call to call.
        most: faces that are found at once.

    Raises:
        BackendError: what runs it is not installed.
        ModelError: the bundle is missing or broken.
    """
    if kind == "mediapipe":
        from mien.parse.models import FaceMesh

        return FaceMesh(still=still, most=most)
    from mien.parse.onnx_mesh import OnnxFaceMesh

    return OnnxFaceMesh(still=still, most=most)
