"""The only file that knows dlib: landmarks and an identity embedding that do not drive the engine.

The predictor of 68 points was trained on data that exclude commercial use, so its file, like the embedding's, comes
from a package of its own, is read where that lies, and only measures: nothing of it enters a model or a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import BackendError

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

MODELS: Final = "face_recognition_models"
POINTS_FILE: Final = "shape_predictor_68_face_landmarks.dat"
IDENTITY_FILE: Final = "dlib_face_recognition_resnet_model_v1.dat"
SAME_PERSON: Final = 0.6
"""Distance of embeddings below which two pictures count as one person: what the embedding's authors recommend."""
LARGE: Final = 400
"""Pixels of the longer side below which a picture is looked at enlarged: the detector overlooks faces below 80."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A face as dlib sees it."""

    points: Array
    """(68, 2) in pixels, in the order of Multi-PIE."""
    embedding: Array
    """(128,): near those of the same person."""


class SecondLook:
    """Callable: picture (H, W, 3) -> the largest face in it, None where none is found."""

    def __init__(self) -> None:
        """Read the models.

        Raises:
            BackendError: dlib or its models are not installed.
        """
        try:
            import dlib
        except ImportError as error:
            raise BackendError(_lacking("dlib-bin")) from error
        self._dlib: Any = dlib
        self._detector: Any = dlib.get_frontal_face_detector()
        self._points: Any = dlib.shape_predictor(_model(POINTS_FILE))
        self._identity: Any = dlib.face_recognition_model_v1(_model(IDENTITY_FILE))

    def __call__(self, pixels: Pixels) -> Look | None:
        pixels = np.ascontiguousarray(pixels)
        enlarge = int(max(pixels.shape[:2]) < LARGE)
        boxes = self._detector(pixels, enlarge)
        if not boxes:
            return None
        shape = self._points(pixels, max(boxes, key=lambda box: box.area()))
        points = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)
        return Look(points, np.array(self._identity.compute_face_descriptor(pixels, shape)))


def apart(a: Look, b: Look) -> float:
    """Distance of two identities: 0 is the same picture, `SAME_PERSON` the border."""
    return float(np.linalg.norm(a.embedding - b.embedding))


def _model(name: str) -> str:
    """Where a model file lies. The package itself is not imported: its code needs modules that are gone."""
    try:
        files = distribution(MODELS).files or ()
    except PackageNotFoundError as error:
        raise BackendError(_lacking(MODELS)) from error
    path = next((file.locate() for file in files if file.name == name), None)
    if path is None:
        raise BackendError(f"{MODELS}: expected {name} in it, got none; install it again")
    return str(path)


def _lacking(package: str) -> str:
    return f"measuring identity and action units needs {package}, which is not installed; pip install 'mien[quality]'"
