"""Face shapes that nobody has: a point in the space of face shapes, away from the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face.topology import canonical_face
from mien_export.samples.album import Album, Array, Picture
from mien_export.samples.warping import sample, spline_field

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
