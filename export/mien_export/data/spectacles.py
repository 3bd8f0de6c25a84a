"""Spectacles: rims, bridge, arms, tinted or shining glasses."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien_export.data.occluders import SUBPIXEL, Layer

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

FINE: Final = 2
"""Samples a pixel along each side: rims are thin."""
TEMPLES: Final = (127, 356)


def spectacles(picture: Pixels, points: Array, unit: float, rng: np.random.Generator) -> Layer:
    """Spectacles on a face with landmarks `points` (478, 2) and eye distance `unit` in pixels."""
    size = (picture.shape[1] * FINE, picture.shape[0] * FINE)
    rims, glass = np.zeros(size[::-1], np.uint8), np.zeros(size[::-1], np.uint8)
    outlines = _outlines(points, unit, rng)
    thick = max(round(rng.uniform(0.006, 0.05) * unit * FINE), 1)
    for outline, temple in zip(outlines, TEMPLES, strict=True):
        drawn = [_fixed(outline)]
        cv2.fillPoly(glass, drawn, 255, cv2.LINE_AA, SUBPIXEL)
        cv2.polylines(rims, drawn, True, 255, thick, cv2.LINE_AA, SUBPIXEL)
        hinge = outline[np.linalg.norm(outline - points[temple], axis=1).argmin()]
        arm = _fixed(np.array([hinge, points[temple] + (points[temple] - hinge) * 0.05]))
        cv2.polylines(rims, [arm], False, 255, thick, cv2.LINE_AA, SUBPIXEL)
    cv2.polylines(rims, [_fixed(_bridge(outlines, unit))], False, 255, thick, cv2.LINE_AA, SUBPIXEL)
    return _layer(picture, rims, glass, rng)


def _outlines(points: Array, unit: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """(40, 2) each: super-ellipses around the eyes."""
    corners = [points[[eye[0], eye[8]]] for eye in topology.EYES]
    along = (corners[1].mean(axis=0) - corners[0].mean(axis=0)) / unit
    down = np.array([-along[1], along[0]])
    wide, tall = rng.uniform(0.22, 0.30) * unit, rng.uniform(0.13, 0.25) * unit
    square = rng.uniform(0.35, 1.0)
    angle = np.linspace(0.0, 2 * np.pi, 41)[:-1]
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** square * wide
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** square * tall
    low = rng.uniform(0.0, 0.08) * unit
    scale = 1 / max(float(np.hypot(*along)), 1e-6)
    left, right = (
        pair.mean(axis=0) + np.outer(x * scale, along) + np.outer(y * scale + low, down * scale) for pair in corners
    )
    return left, right


def _bridge(outlines: tuple[Array, Array], unit: float) -> Array:
    """(3, 2): a low bow between the glasses."""
    left, right = outlines
    a = left[np.linalg.norm(left - right.mean(axis=0), axis=1).argmin()]
    b = right[np.linalg.norm(right - left.mean(axis=0), axis=1).argmin()]
    return np.array([a, (a + b) / 2 - [0.0, 0.02 * unit], b])


def _layer(picture: Pixels, rims: Pixels, glass: Pixels, rng: np.random.Generator) -> Layer:
    height, width = picture.shape[:2]
    rim = cv2.resize(rims, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    lens = cv2.resize(glass, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    tint = np.float32(rng.choice([0.0, 0.0, rng.uniform(0.0, 0.3), rng.uniform(0.5, 0.95)])) * lens
    glare = np.float32(rng.choice([0.0, rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.9)])) * lens * _bands(lens.shape, rng)
    mask, colour = np.zeros_like(rim), np.zeros((height, width, 3), np.float32)
    shade, sheen = rng.uniform(5.0, 60.0, 3), np.array([250.0, 252.0, 255.0])
    frame = rng.uniform(5.0, 70.0) * rng.uniform(0.6, 1.0, 3) if rng.uniform() < 0.7 else rng.uniform(90.0, 210.0, 3)
    for share, paint in ((tint, shade), (glare, sheen), (rim, frame)):
        mask += share * (1 - mask)
        keep = (share / np.maximum(mask, 1e-6))[..., None]
        colour += (paint.astype(np.float32) - colour) * keep
    return Layer(colour, mask)


def _bands(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) in 0..1: soft oblique stripes, as windows and lamps throw them."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    angle, long = rng.uniform(0.3, 1.3), rng.uniform(25.0, 80.0)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * np.pi / long) + rng.uniform(0.0, 6.3))
    return np.asarray(np.clip(3 * wave - np.float32(rng.uniform(0.5, 2.2)), 0.0, 1.0), dtype=np.float32)


def _fixed(points: Array) -> NDArray[np.int32]:
    """Points of the picture as OpenCV's fixed-point positions in the finer grid."""
    return np.asarray(np.rint(((points + 0.5) * FINE - 0.5) * 2**SUBPIXEL), dtype=np.int32)
