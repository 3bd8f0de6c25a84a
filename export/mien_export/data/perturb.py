"""Random, plausible motion of landmarks, from which a source is made from a target."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import at_rest, lid_gaps, lip_gaps, set_lid_gaps, set_lip_gaps
from mien.face.measures import landmark_sizes, lower_face_height
from mien.face.pose import Angles, Similarity, angles_of, rotation_of
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien.reenact.target import Target
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis

Array = NDArray[np.float64]

OVAL: Final = np.array(topology.OVAL)
TURN_LIMIT: Final = (36.0, 25.0)
"""Yaw and pitch in degrees beyond which no source is made."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """How strongly each part moves."""

    yaw: float = 11.0
    """Standard deviations in degrees."""
    pitch: float = 6.0
    roll: float = 3.0
    smooth: float = 0.008
    """Amplitude of smooth random deformations, in eye distances."""
    contour: float = 0.15
    """How often the contour is another person's."""
    mouth: bool = True
    """Whether the mouth closes, opens and moves; False: it stays as it is, its opening within a fifth."""


def perturbed(
    portrait: Portrait, rng: np.random.Generator, other: Array | None = None, settings: Perturbation | None = None
) -> Target:
    """Where the landmarks of `portrait` are at another moment; `other` (478, 3) is somebody else's un-posed shape."""
    settings = settings or Perturbation()
    shape = portrait.shape + _smooth(rng, settings.smooth)
    if other is not None and rng.random() < settings.contour:
        shape = shape + _contour_change(portrait.shape, other)
    shape = _mouth(shape, portrait, rng) if settings.mouth else _mouth_kept(shape, portrait, rng)
    shape = _eyes(shape, portrait.shape, rng)
    pose = _pose(portrait.pose, rng, settings)
    return Target(shape, pose, pose.apply(shape))


@lru_cache(maxsize=1)
def _basis() -> Array:
    """(K, 478, 3): expressions of the canonical face."""
    return expression_basis(at_rest(canonical_face().points))


def expressed(weights: dict[str, float], sizes: Array) -> Array:
    """(478, 3): the offset of expressions by name, on a face of these `landmark_sizes` (478, 3)."""
    row = np.zeros(len(EXPRESSIONS))
    for name, weight in weights.items():
        row[INDEX[name]] = weight
    return np.asarray(np.tensordot(row, _basis(), 1) * sizes)


def _mouth(shape: Array, portrait: Portrait, rng: np.random.Generator) -> Array:
    """Close the mouth, or open it otherwise, the jaw following; corners, lips and brows move too."""
    sizes = landmark_sizes(portrait.shape)
    own = lip_gaps(portrait.shape)
    kept = float(rng.choice([0.0, 0.0, rng.uniform(0, 1), 1.0]))
    jaw = float(rng.choice([0.0, rng.uniform(0, 0.3), rng.uniform(0.2, 1.0)], p=[0.45, 0.3, 0.25]))
    # What opened the photographed mouth also lowered its chin: closing takes the chin along.
    opened = float(own.mean()) / max(0.37 * lower_face_height(portrait.rest), 1e-3)
    weights = {
        "jaw_open": jaw - (1 - kept) * 0.8 * min(opened, 1.0),
        "smile": float(rng.normal(-0.2, 0.35)) if rng.random() < 0.6 else 0.0,
        "lips_pucker": float(rng.uniform(0, 0.8)) if rng.random() < 0.2 else 0.0,
        "lips_stretch": float(rng.normal(0, 0.3)) if rng.random() < 0.3 else 0.0,
        "lips_press": float(rng.uniform(0, 0.7)) if rng.random() < 0.15 else 0.0,
        "upper_lip_up": float(rng.normal(0, 0.35)) if rng.random() < 0.3 else 0.0,
        "lower_lip_down": float(rng.normal(0, 0.35)) if rng.random() < 0.3 else 0.0,
        "brow_raise": float(rng.normal(0, 0.5)) if rng.random() < 0.5 else 0.0,
        "brow_frown": float(rng.normal(0, 0.4)) if rng.random() < 0.4 else 0.0,
    }
    moved = shape + expressed(weights, sizes)
    widest = 0.37 * lower_face_height(portrait.rest) * _arch()
    gaps = own * kept + jaw * widest + (lip_gaps(moved) - lip_gaps(shape)) * (jaw > 0 or kept > 0) * 0.3
    return set_lip_gaps(moved, np.maximum(gaps, 0.0))


def _mouth_kept(shape: Array, portrait: Portrait, rng: np.random.Generator) -> Array:
    return set_lip_gaps(shape, np.maximum(lip_gaps(portrait.shape), 0.0) * rng.uniform(0.8, 1.0))


def narrowed(portrait: Portrait, rng: np.random.Generator) -> Target:
    """Where the landmarks of `portrait` are as it purses its lips: closed, narrower, put forward."""
    sizes = landmark_sizes(portrait.shape)
    weights = {"smile": -float(rng.uniform(0.2, 0.9)), "lips_pucker": float(rng.uniform(0.3, 1.0))}
    shape = set_lip_gaps(portrait.rest + expressed(weights, sizes), np.zeros(len(lip_gaps(portrait.rest))))
    return Target(shape, portrait.pose, portrait.pose.apply(shape))


def _arch() -> Array:
    """(9,): how an opening falls towards the corners, 1 in the middle."""
    place = np.linspace(-0.8, 0.8, 9)
    return np.asarray(1 - np.abs(place) ** 2.2)


def _eyes(shape: Array, own: Array, rng: np.random.Generator) -> Array:
    """Close, narrow or widen the lids, and move the gaze."""
    opening = float(rng.choice([1.0, 0.0, rng.uniform(0.05, 0.7), rng.uniform(0.8, 1.3)], p=[0.35, 0.2, 0.25, 0.2]))
    wink = rng.random() < 0.1
    shares = np.array([opening, 1.0 if wink else opening * rng.uniform(0.85, 1.15)])
    out = set_lid_gaps(shape, np.maximum(lid_gaps(own) * shares[:, None], 0.0))
    look = rng.normal(0, [0.10, 0.05]) * (rng.random() < 0.6)
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        width = float(np.linalg.norm(own[eye[8]] - own[eye[0]]))
        out[list(iris), :2] = own[list(iris), :2] + np.clip(look, -0.22, 0.22) * width
    return out


def _contour_change(own: Array, other: Array) -> Array:
    """(478, 3): the way of the contour to another person's, fading inwards, so that inner parts stay (eq. 3.8)."""
    way = other[OVAL] - own[OVAL]
    points = canonical_face().points
    distance = np.linalg.norm(points[:, None, :2] - points[None, OVAL, :2], axis=2)
    near = np.exp(-((distance / 0.18) ** 2))
    share = np.exp(-((distance.min(axis=1) / 0.22) ** 2))[:, None]
    return np.asarray(share * (near @ way) / np.maximum(near.sum(axis=1, keepdims=True), 1e-9))


def _smooth(rng: np.random.Generator, amplitude: float) -> Array:
    """(478, 3): a few broad bumps."""
    points = canonical_face().points
    centres = points[rng.integers(0, topology.SKIN_COUNT, 5), :2]
    reach = rng.uniform(0.25, 0.6, 5)
    weight = np.exp(-((np.linalg.norm(points[:, None, :2] - centres, axis=2) / reach) ** 2))
    return np.asarray(weight @ rng.normal(0, amplitude, (5, 3)))


def _pose(own: Similarity, rng: np.random.Generator, settings: Perturbation) -> Similarity:
    angles = angles_of(own.rotation)
    yaw = angles.yaw + rng.normal(0, settings.yaw) * (rng.random() < 0.8)
    pitch = angles.pitch + rng.normal(0, settings.pitch) * (rng.random() < 0.8)
    yaw = np.clip(yaw, min(-TURN_LIMIT[0], angles.yaw), max(TURN_LIMIT[0], angles.yaw))
    pitch = np.clip(pitch, min(-TURN_LIMIT[1], angles.pitch), max(TURN_LIMIT[1], angles.pitch))
    turned = rotation_of(Angles(float(yaw), float(pitch), angles.roll + float(rng.normal(0, settings.roll))))
    return Similarity(turned, own.translation, own.scale)
