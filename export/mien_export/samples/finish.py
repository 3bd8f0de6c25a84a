"""What a mean of many photographs loses: crisp eyes, brows and lips, texture of skin, grain of a sensor."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face import topology
from mien_export.samples.album import Array, Picture
from mien_export.samples.blending import face_mask
from mien_export.samples.warping import Plane, blur

LIPS = topology.OUTER_LIPS


def crisp(picture: Picture, points: Array, age: float = 1.0) -> Picture:
    """`picture` with its features sharpened, most at the eyes; `age` deepens the folds of the skin."""
    side = picture.shape[0]
    features = np.zeros((side, side), np.float32)
    for outline, weight, grow in ((topology.LEFT_EYE, 1.0, 6), (topology.RIGHT_EYE, 1.0, 6),
                                  (topology.LEFT_BROW, 0.8, 5), (topology.RIGHT_BROW, 0.8, 5),
                                  (LIPS, 0.6, 2)):  # fmt: skip
        features = np.maximum(features, weight * face_mask(points[list(outline)], side, grow, 3.0))
    fine = picture - blur(picture, 1.1)
    middle = blur(picture, 1.1) - blur(picture, 3.0)
    gain = features[..., None]
    skin = face_mask(points[:468], side, soft=10.0)[..., None]
    folds = (age - 1) * skin * (blur(picture, 1.1) - blur(picture, 7.0))
    return np.clip(picture + (0.45 + 1.1 * gain) * fine + (0.25 + 0.45 * gain) * middle + folds, 0, 1)


def with_catchlights(picture: Picture, points: Array) -> Picture:
    """Darker pupils, a limbal ring, and the reflection of a lamp at the upper left of each iris."""
    side = picture.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    light = picture
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        centre, radius = points[iris[0]], float(np.linalg.norm(points[list(iris[1:])] - points[iris[0]], axis=1).mean())
        open_eye = face_mask(points[list(eye)], side, soft=0.8)
        r = np.hypot(x - centre[0], y - centre[1]) / radius
        pupil = _falloff(r, 0.40, 0.12) * 0.55
        ring = np.exp(-(((r - 0.95) / 0.16) ** 2)) * 0.30
        dark = (1 - open_eye * np.maximum(pupil, ring))[..., None]
        spark = np.hypot(x - centre[0] + 0.34 * radius, y - centre[1] + 0.36 * radius) / radius
        bright = (open_eye * _falloff(spark, 0.20, 0.10) * 0.85)[..., None]
        light = light * dark + bright * (1 - light * dark)
    return np.clip(light, 0, 1).astype(np.float32)


def _falloff(distance: Plane, radius: float, softness: float) -> Plane:
    return np.asarray(1 / (1 + np.exp(np.clip((distance - radius) / (softness / 4), -50, 50))), dtype=np.float32)


def with_skin(picture: Picture, where: Plane, seed: int, strength: float = 1.0) -> Picture:
    """Pores and mottling on the skin in `where` (0..1), lit from above."""
    rng = np.random.default_rng(seed)
    height = _noise(rng, picture.shape[0], 0.8, 2.0) + 0.7 * _noise(rng, picture.shape[0], 1.6, 4.0)
    relief = cv2.Sobel(height, cv2.CV_32F, 0, 1) + 0.5 * cv2.Sobel(height, cv2.CV_32F, 1, 0)
    relief = relief / relief.std()
    blotches = _noise(rng, picture.shape[0], 5.0, 14.0)
    level = blur(picture.mean(axis=2), 2.0)
    lit = where * strength * (0.5 + 0.4 * level)
    change = lit[..., None] * (0.0065 * relief[..., None] + 0.006 * blotches[..., None] * np.array([1.0, -0.6, -0.5]))
    return np.asarray(np.clip(picture * (1 + change), 0, 1).astype(np.float32))


def with_grain(picture: Picture, seed: int, strength: float = 0.008) -> Picture:
    """The noise of a sensor: a little colour, mostly light, finer than anything drawn."""
    rng, side = np.random.default_rng(seed), picture.shape[0]
    light = blur(rng.normal(size=(side, side)).astype(np.float32), 0.6)
    colour = blur(rng.normal(size=(side, side, 3)).astype(np.float32), 1.0)
    return np.clip(picture + strength * (1.6 * light[..., None] + 0.8 * colour), 0, 1).astype(np.float32)


def _noise(rng: np.random.Generator, side: int, fine: float, coarse: float) -> Plane:
    white = rng.normal(size=(side, side)).astype(np.float32)
    band = blur(white, fine) - blur(white, coarse)
    return np.asarray(band / band.std(), dtype=np.float32)
