"""The shadow of the chin on the neck, taken off the neck and given to the head, so that it goes where the chin goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Similarity
from mien.sums import luma, smoothstep

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

DEPTH: Final = 0.32
"""How far below the jaw the shadow reaches, in eye distances."""
LEAST, MOST = 0.06, 0.4
"""Opacity of the shadow at the jaw."""
DARK: Final = 0.2
"""Brightness of the shadow's colour relative to the neck's."""
LIFTS: Final = 1.3
"""How much brighter a neck is at most without the shadow: what is dark of itself does not glow."""
UPPER: Final = (0.5, 0.8)
"""Heights in the canonical face between which the shadow begins."""


@dataclass(frozen=True, slots=True, eq=False)
class Shade:
    """A shadow as a layer: its opacity and colour."""

    opacity: Floats
    """(H, W) in 0..1."""
    colour: Floats
    """(3,): in levels."""

    def lifted(self, colours: Floats) -> Floats:
        """Colours (H, W, 3) with the shadow taken off."""
        over = self.opacity[..., None]
        lifted = (colours - over * self.colour) / np.maximum(1 - over, 1 / 255)
        return np.asarray(np.clip(np.minimum(lifted, LIFTS * colours), 0, 255), dtype=np.float32)


def shade_of(colours: Pixels, landmarks: Array, pose: Similarity, seen: Floats, body: Floats) -> Shade:
    """The shadow on a body of `colours` (H, W, 3).

    Args:
        landmarks: (478, 3) in pixels, posed by `pose`.
        seen, body: (H, W) in 0..1: opacity of what is seen of the body, and of all of it.
    """
    unit = pose.scale
    oval = np.zeros(seen.shape, np.uint8)
    cv2.fillPoly(
        oval, [np.rint(landmarks[list(topology.OVAL), :2] * 16).astype(np.int32)[:, None]], 255, cv2.LINE_AA, 4
    )
    away = cv2.distanceTransform((oval < 128).astype(np.uint8), cv2.DIST_L2, 5) / unit
    down = _down(seen.shape, pose)
    lower = smoothstep(np.clip((down - UPPER[0]) / (UPPER[1] - UPPER[0]), 0, 1))
    fall = np.clip(1 - away / DEPTH, 0, 1) ** 2 * lower
    near = (seen > 0.9) & (fall > 0.45) & (away > 0.04)
    far = (seen > 0.9) & (away > DEPTH) & (away < 2.2 * DEPTH) & (np.abs(_side(seen.shape, pose)) < 0.5) & (lower > 0.9)
    tone, strength = _strength(colours, near, far)
    opacity = (strength * fall * body).astype(np.float32)
    soft = cv2.GaussianBlur(opacity, (0, 0), max(0.03 * unit, 0.7)) * body
    return Shade(soft.astype(np.float32), tone * np.float32(DARK))


def _strength(colours: Pixels, near: NDArray[np.bool_], far: NDArray[np.bool_]) -> tuple[Floats, float]:
    """The neck's colour, and the opacity that makes it as dark as it is at the jaw."""
    if near.sum() < 12:
        return np.zeros(3, np.float32), LEAST
    dim = np.median(colours[near], axis=0).astype(np.float32)
    if far.sum() < 12:
        return dim, (LEAST + MOST) / 3
    lit = np.median(colours[far], axis=0).astype(np.float32)
    alike = float(np.abs(dim / max(float(luma(dim)), 1.0) - lit / max(float(luma(lit)), 1.0)).max()) < 0.3
    if not alike:  # cloth, not the neck
        return dim, (LEAST + MOST) / 3
    ratio = float(luma(dim)) / max(float(luma(lit)), 1.0)
    return lit, float(np.clip((1 - ratio) / (1 - DARK), LEAST, MOST))


def _down(shape: tuple[int, ...], pose: Similarity) -> Floats:
    return _along(shape, pose, 1)


def _side(shape: tuple[int, ...], pose: Similarity) -> Floats:
    return _along(shape, pose, 0)


def _along(shape: tuple[int, ...], pose: Similarity, axis: int) -> Floats:
    """(H, W): each pixel's place along an axis of the head, in eye distances from its origin."""
    way = pose.rotation[:2, axis] / np.linalg.norm(pose.rotation[:2, axis]) / pose.scale
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = pose.translation[:2].tolist()
    return np.asarray((xs - x) * way[0] + (ys - y) * way[1], dtype=np.float32)
