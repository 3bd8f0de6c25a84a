"""Single hairs: at the rim of a blended head, where a mean has none, and inside, where a mean has blurred them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien_export.samples.album import Array, Picture
from mien_export.samples.blending import encoded, linear
from mien_export.samples.warping import Plane, blur

SCALE = 4


@dataclass(frozen=True, slots=True)
class Hair:
    """How single hairs lie. Lengths in pixels."""

    count: int
    length: float
    lift: float
    """0 follows the outline of the head, 1 stands off it."""
    stray: float
    """How far beyond the rim hairs may start."""
    contrast: float
    opacity: float
    seed: int


def with_strands(picture: Picture, matte: Plane, where: Plane, hair: Hair) -> Picture:
    """`picture` with hairs drawn over the head whose `matte` (H, W) is given, rooted where `where` is 1."""
    rng = np.random.default_rng(hair.seed)
    roots = _roots(matte, where, hair, rng)
    paths = _grown(roots, _flow(matte, hair.lift), hair, rng)
    tint, cover = _drawn(paths, _colours(picture, matte, roots, hair, rng), picture.shape[0], hair, rng)
    share = (cover * hair.opacity)[..., None]
    return encoded((1 - share) * linear(picture) + share * linear(tint))


def _roots(matte: Plane, where: Plane, hair: Hair, rng: np.random.Generator) -> Array:
    grown = blur(matte, max(hair.stray, 0.5)) > 0.35
    rows, columns = np.nonzero(grown & (where > 0.5))
    pick = rng.choice(len(rows), size=hair.count, replace=True)
    return np.asarray(np.column_stack([columns[pick], rows[pick]]) + rng.uniform(-0.5, 0.5, (hair.count, 2)))


def _flow(matte: Plane, lift: float) -> Array:
    """Unit directions (H, W, 2): downwards along the outline, or away from the head."""
    hill = blur(matte, 18.0)
    out = -np.stack([cv2.Sobel(hill, cv2.CV_32F, 1, 0), cv2.Sobel(hill, cv2.CV_32F, 0, 1)], axis=-1)
    along = np.stack([-out[..., 1], out[..., 0]], axis=-1)
    along *= np.where(along[..., 1:] < 0, -1.0, 1.0)
    mixed = (1 - lift) * _unit(along) + lift * _unit(out) + [0.0, 0.25 * (1 - lift)]
    return _unit(cv2.GaussianBlur(mixed, (0, 0), 4.0))


def _unit(field: Array) -> Array:
    return np.asarray(field / (np.linalg.norm(field, axis=-1, keepdims=True) + 1e-6), dtype=np.float64)


def _grown(roots: Array, flow: Array, hair: Hair, rng: np.random.Generator, steps: int = 12) -> Array:
    """(count, steps, 2) points of every hair."""
    side = flow.shape[0]
    stride = hair.length * rng.uniform(0.4, 1.2, (hair.count, 1)) / steps
    bend = rng.normal(0, 0.12 + 0.1 * hair.lift, hair.count)
    points, path = roots.copy(), []
    for k in range(steps):
        path.append(points)
        x, y = np.clip(np.round(points).astype(int), 0, side - 1).T
        angle = bend * (k / steps)
        way = flow[y, x]
        turned = np.column_stack([way[:, 0] * np.cos(angle) - way[:, 1] * np.sin(angle),
                                  way[:, 0] * np.sin(angle) + way[:, 1] * np.cos(angle)])  # fmt: skip
        points = points + stride * turned
    return np.stack(path, axis=1)


def _colours(picture: Picture, matte: Plane, roots: Array, hair: Hair, rng: np.random.Generator) -> Array:
    inner = (matte > 0.95).astype(np.float32)
    spread = blur(picture * inner[..., None], 3.0) / (blur(inner, 3.0)[..., None] + 1e-3)
    x, y = np.clip(np.round(roots).astype(int), 0, picture.shape[0] - 1).T
    return np.asarray(np.clip(spread[y, x] * np.exp(rng.normal(0, hair.contrast, (len(roots), 1))), 0, 1))


def _drawn(paths: Array, colours: Array, side: int, hair: Hair, rng: np.random.Generator) -> tuple[Picture, Plane]:
    canvas = np.zeros((side * SCALE, side * SCALE, 3), np.uint8)
    cover = np.zeros((side * SCALE, side * SCALE), np.uint8)
    thick = rng.choice([1, 2, 3], size=len(paths), p=[0.5, 0.4, 0.1])
    for path, colour, width in zip(paths, colours, thick, strict=True):
        line = [np.round(path * SCALE).astype(np.int32)]
        cv2.polylines(canvas, line, False, [float(c) * 255 for c in colour], int(width), cv2.LINE_AA)
        cv2.polylines(cover, line, False, 255, int(width), cv2.LINE_AA)
    small = cv2.resize(cover, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    tint = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.clip(tint / (small[..., None] + 1e-3), 0, 1), small
