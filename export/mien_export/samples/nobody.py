"""Invented face shapes, and a test that a portrait resembles nobody."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.face.topology import canonical_face
from mien_export.samples.album import Album, Array, Picture
from mien_export.samples.blending import sample, spline_field

CLOSED = 0.03
COMPONENTS = 10


@dataclass(frozen=True, slots=True)
class Invention:
    """How a blend is bent into a face of its own."""

    seed: int
    strength: float
    """Standard deviations of the shape's components."""
    unevenness: float
    """Standard deviations of the differences of left and right."""
    roll: float
    """Degrees by which the head leans, clockwise."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapeSpace:
    """Principal components of closed-mouth frontal faces, in pixels of the album's pictures."""

    even: Array
    """(K, 478, 2), symmetric, scaled by standard deviation."""
    uneven: Array
    """(K, 478, 2), antisymmetric."""


def shape_space(album: Album) -> ShapeSpace:
    """The space spanned by the faces of `album`."""
    shapes = album.landmarks[(album.mouth_open < CLOSED) & (album.yaw < 0.3)]
    middle = shapes[:, :, :1].mean(axis=1, keepdims=True)
    mirrored = np.concatenate([2 * middle - shapes[:, :, :1], shapes[:, :, 1:]], axis=2)[:, canonical_face().mirror]
    return ShapeSpace(_components((shapes + mirrored) / 2), _components((shapes - mirrored) / 2))


def _components(shapes: Array) -> Array:
    flat = (shapes - shapes.mean(axis=0)).reshape(len(shapes), -1)
    _, spread, axes = np.linalg.svd(flat, full_matrices=False)
    scaled = axes[:COMPONENTS] * spread[:COMPONENTS, None] / np.sqrt(len(shapes))
    return np.asarray(scaled.reshape(COMPONENTS, *shapes.shape[1:]))


def invented(points: Array, space: ShapeSpace, invention: Invention, scale: float) -> Array:
    """`points` (478, 2) of a blend moved to the invented face; `scale` is pixels per album pixel."""
    rng = np.random.default_rng(invention.seed)
    even = invention.strength * rng.normal(size=COMPONENTS)
    uneven = invention.unevenness * rng.normal(size=COMPONENTS)
    change = np.tensordot(even, space.even, 1) + np.tensordot(uneven, space.uneven, 1)
    moved = points + scale * (change - change[[33, 133, 362, 263]].mean(axis=0))
    return _leant(moved, moved[152], invention.roll)


def _leant(points: Array, pivot: Array, roll: float) -> Array:
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.asarray((points - pivot) @ np.array([[c, s], [-s, c]]) + pivot)


def bent(picture: Picture, old: Array, new: Array) -> Picture:
    """`picture` with landmarks `old` moved to `new`; the lower edge stays where it is."""
    side = picture.shape[0]
    still = np.array([[x, side + 8.0] for x in np.linspace(-0.2 * side, 1.2 * side, 12)])
    field = spline_field(np.concatenate([new, still]), np.concatenate([old, still]), side, 20.0)
    return np.clip(sample(picture, field), 0, 1).astype(np.float32)


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
