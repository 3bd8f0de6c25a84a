"""Whether a portrait resembles anybody: distances of face embeddings. Needs dlib and its models; only measures."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien_export.samples.album import Album, Array, Picture

SAME_PERSON: Final = 0.6
"""The embedding's verification threshold: nearer pictures are taken for the same person."""
STRANGERS_SHARE: Final = 0.01
NETWORK = "dlib_face_recognition_resnet_model_v1.dat"
FITTER = "shape_predictor_5_face_landmarks.dat"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """dlib's face detector, alignment and embedding."""

    detect: Any
    align: Any
    network: Any
    rectangle: Any

    def embed(self, picture: Picture) -> Array:
        """The embedding (128,) of the largest face of `picture`; the middle of it where none is found."""
        pixels = np.ascontiguousarray(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8))
        side = pixels.shape[0]
        found = max(self.detect(pixels, 0), key=lambda box: box.area(), default=None)
        box = found or self.rectangle(*(int(share * side) for share in (0.18, 0.24, 0.82, 0.88)))
        return np.array(self.network.compute_face_descriptor(pixels, self.align(pixels, box), 1))

    def embed_all(self, album: Album) -> Array:
        """(N, 128)."""
        return np.array([self.embed(album.read(i)) for i in range(len(album.files))])


def models_folder() -> Path | None:
    """Where the package `face_recognition_models` keeps its files; None if it or dlib is not installed."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None or importlib.util.find_spec("dlib") is None:
        return None
    return Path(spec.origin).parent / "models"


def open_recogniser(folder: Path) -> Recogniser:
    """The recogniser whose models lie in `folder`."""
    dlib: Any = importlib.import_module("dlib")
    return Recogniser(
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(str(folder / FITTER)),
        dlib.face_recognition_model_v1(str(folder / NETWORK)),
        dlib.rectangle,
    )


def stranger_limit(embeddings: Array) -> float:
    """The distance below which the closest 1 % of pairs of different people (N, 128) lie."""
    squares = (embeddings**2).sum(axis=1)
    squared = squares[:, None] + squares[None] - 2 * embeddings @ embeddings.T
    pairs: NDArray[np.float64] = np.sqrt(np.maximum(squared[np.triu_indices(len(embeddings), 1)], 0))
    return float(np.quantile(pairs, STRANGERS_SHARE))


def nearest(embedding: Array, embeddings: Array) -> float:
    """Distance of `embedding` (128,) to the nearest of (N, 128)."""
    return float(np.linalg.norm(embeddings - embedding, axis=1).min())
