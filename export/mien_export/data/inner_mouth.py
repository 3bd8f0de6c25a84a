"""Edits of a photographed inner mouth: darker cavities, other tongues, other teeth.

They are made in the picture itself, before hints are cut from it, so that target and hint agree: a generator that saw
them differ would learn that a hint's darkness means nothing.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import box_around
from mien.face import topology
from mien_export.data.tones import LUMA, mask_in

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

INNER: Final = np.array(topology.INNER_LIPS)
OUTER: Final = np.array(topology.OUTER_LIPS)
SOFT: Final = 0.6
"""Blur of the edit's edge, in pixels."""


def edit_inner_mouth(picture: Pixels, landmarks: Array, rng: np.random.Generator) -> Pixels:
    """A copy of a portrait (H, W, 3) with landmarks (478, 2 or 3), its inner mouth toned otherwise; mild."""
    outline = landmarks[INNER, :2]
    box = box_around(outline, 3, picture.shape[1], picture.shape[0])
    out = picture.copy()
    if box is None:
        return out
    mask = cv2.GaussianBlur(mask_in(box, outline), (0, 0), SOFT)[..., None]
    mouth = picture[box].astype(np.float32)
    toned = _toned(mouth, _lips(picture, landmarks), rng)
    out[box] = np.clip(mouth + (toned - mouth) * mask + 0.5, 0, 255).astype(np.uint8)
    return out


def _toned(mouth: Floats, lips: float, rng: np.random.Generator) -> Floats:
    """`mouth` (h, w, 3) with its dark, its red and its pale parts changed by a draw each."""
    luma = mouth @ LUMA.astype(np.float32)
    relative = luma / np.float32(lips + 1)
    spread = mouth.max(axis=2) - mouth.min(axis=2)
    pale = _ramp(relative, 0.8, 1.2) * (1 - _ramp(spread / (luma + 1), 0.35, 0.6))
    dark = 1 - _ramp(relative, 0.25, 0.85)
    red = np.clip(1 - pale - dark, 0.0, 1.0)
    teeth = _draw(rng, 0.85, 1.10) * np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.80, 1.0)])
    cavity = rng.uniform(0.35, 1.0) * np.array([1.0, *rng.uniform(0.85, 1.0, 2)])
    tongue = _draw(rng, 0.75, 1.2) * np.array([1.0, *rng.uniform(0.85, 1.15, 2)])
    gain = pale[..., None] * teeth + dark[..., None] * cavity + red[..., None] * tongue
    total = (pale + dark + red)[..., None]
    return np.asarray(mouth * (gain / np.maximum(total, 1e-6)), dtype=np.float32)


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _ramp(value: Floats, low: float, high: float) -> Floats:
    return np.clip((value - np.float32(low)) / np.float32(high - low), 0.0, 1.0)


def _lips(picture: Pixels, landmarks: Array) -> float:
    """The lips' luma, 0..255."""
    x, y = np.rint((landmarks[INNER, :2] + landmarks[OUTER, :2]) / 2).astype(np.int64).T
    height, width = picture.shape[:2]
    found = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
    return float(np.median(found @ LUMA))
