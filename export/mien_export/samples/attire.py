"""Drawing around a blended head: backdrop, neck, garment, single hairs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien_export.samples.album import Array, Picture
from mien_export.samples.blending import Plane, blur, encoded, linear, over, soft_step

Colour = tuple[float, float, float]
JAW_LINE = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
OVERSAMPLING = 4


@dataclass(frozen=True, slots=True)
class Attire:
    """Colours are sRGB in 0..1."""

    backdrop: Colour
    garment: Colour
    neckline: float
    """Depth of the neckline below the pit of the neck, in face widths."""
    seed: int


def backdrop(side: int, attire: Attire) -> Picture:
    """A studio wall, lit from above left."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    glow = np.exp(-(((x - 0.42) / 0.62) ** 2 + ((y - 0.34) / 0.6) ** 2))
    cloud = blur(np.random.default_rng(attire.seed).normal(size=(side, side)).astype(np.float32), side / 9)
    light = 0.62 + 0.5 * glow + 0.05 * cloud / np.abs(cloud).max()
    return np.asarray(np.clip(np.array(attire.backdrop, np.float32) * light[..., None], 0, 1))


def filled(outline: Array, side: int, soft: float = 0.8) -> Plane:
    """Anti-aliased polygon (P, 2), pixels."""
    large = np.zeros((side * OVERSAMPLING, side * OVERSAMPLING), np.uint8)
    cv2.fillPoly(large, [np.round(outline * OVERSAMPLING).astype(np.int32)], 255, cv2.LINE_AA)
    return blur(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255, soft)


def curve(knots: list[tuple[float, float]], count: int = 60) -> Array:
    """A smooth line (count, 2) through `knots` (Catmull-Rom)."""
    p = np.array([knots[0], *knots, knots[-1]], dtype=np.float64)
    t = np.linspace(0, len(knots) - 1 - 1e-9, count)
    k, u = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    return np.asarray(0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3))


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the drawn parts attach: all in pixels."""

    middle: float
    chin: float
    width: float
    """Width of the jaw."""
    side: int


def frame_of(points: Array, side: int) -> Frame:
    """The frame of a head with landmarks `points` (478, 2)."""
    return Frame(float(points[152, 0]), float(points[152, 1]), float(points[361, 0] - points[132, 0]), side)


def with_neck(below: Picture, points: Array, skin: Colour, frame: Frame, girth: float) -> Picture:
    """A neck of colour `skin` on `below`, `girth` jaw widths wide, round and shaded by the chin."""
    m, c, w, half = frame.middle, frame.chin, frame.width, 0.5 * girth * frame.width
    left = curve(
        [
            (m - 1.06 * half, c - 0.5 * w),
            (m - 0.96 * half, c - 0.05 * w),
            (m - 1.03 * half, c + 0.14 * w),
            (m - 1.8 * half, c + 0.4 * w),
        ]
    )
    right = np.column_stack([2 * m - left[::-1, 0], left[::-1, 1]])
    matte = filled(np.concatenate([left, right]), frame.side, 1.2)
    y, x = np.mgrid[0 : frame.side, 0 : frame.side].astype(np.float32)
    across = (x - m) / (1.1 * half)
    round_shade = 1 - 0.42 * np.clip(np.abs(across + 0.12), 0, 1.2) ** 2.4
    light = round_shade * _under_jaw(points, frame) * (0.98 + 0.045 * _cords(frame, x, y))
    tint = np.array(skin, np.float32) ** 2.2
    warm = np.stack([light**0.92, light**1.04, light**1.10], axis=-1)
    return over(np.clip(tint * warm, 0, 1).astype(np.float32) ** np.float32(1 / 2.2), matte, below)


def _under_jaw(points: Array, frame: Frame) -> Plane:
    jaw = points[list(JAW_LINE)]
    near = np.exp(-_distance(jaw, frame.side) / (0.10 * frame.width))
    wide = np.exp(-_distance(jaw, frame.side) / (0.40 * frame.width))
    return np.asarray(1 - 0.38 * near - 0.34 * wide, dtype=np.float32)


def _cords(frame: Frame, x: Plane, y: Plane) -> Plane:
    """Where the two muscles run from behind the ears to the pit of the neck."""
    down = np.clip((y - frame.chin) / (0.35 * frame.width), -0.5, 1)
    sides = [x - frame.middle - s * frame.width * (0.26 - 0.16 * down) for s in (-1, 1)]
    return np.asarray(sum(np.exp(-((d / (0.05 * frame.width)) ** 2)) for d in sides), dtype=np.float32)


def with_garment(below: Picture, frame: Frame, attire: Attire, girth: float) -> Picture:
    """A plain knitted top on `below`, with a ribbed neckline around a neck `girth` jaw widths wide."""
    m, w, side = frame.middle, frame.width, frame.side
    high, pit = frame.chin + 0.10 * w, frame.chin + (0.24 + attire.neckline) * w
    edge = 0.5 * girth * w + 1.0
    c1, c2 = (edge, high), (0.68 * edge, 0.35 * high + 0.65 * pit)
    collar = curve(
        [(m - c1[0], c1[1]), (m - c2[0], c2[1]), (m, pit + 0.02 * w), (m + c2[0], c2[1]), (m + c1[0], c1[1])]
    )
    slope = [(0.0, 0.0), (0.10, 0.05), (0.34, 0.17), (0.74, 0.32), (1.10, 0.56), (1.30, 1.2)]
    shoulder = curve([(m + edge + a * w, high + b * w) for a, b in slope])
    mirrored = np.column_stack([2 * m - shoulder[::-1, 0], shoulder[::-1, 1]])
    matte = filled(np.concatenate([mirrored, collar, shoulder]), side, 1.0)
    light = _folds(frame, attire.seed) * (1 - 0.35 * _below_line(collar, side, 0.045 * w))
    hem = _band(collar, side, 0.075 * w)
    light = (
        light * (1 + 0.10 * hem * np.sin(np.mgrid[0:side, 0:side][1] * 1.6).astype(np.float32)) * (1 - 0.12 * _rim(hem))
    )
    inside = filled(np.concatenate([collar[8:-8], collar[-9:7:-1] - [0, 0.3 * w]]), side, 2.0)
    ground = np.clip(below * (1 - 0.45 * inside * _below_line(collar, side, 0.05 * w))[..., None], 0, 1)
    tint = np.array(attire.garment, np.float32) ** 2.2
    return over(np.clip(tint * light[..., None], 0, 1) ** (1 / 2.2), matte, ground)


def ear_hollows(points: Array, side: int) -> Plane:
    """Where ears beside a face with landmarks `points` are hollow, 0..1: a blend has smoothed that away."""
    hollow = np.zeros((side, side), np.float32)
    for top, bottom, out in ((127, 93, -1), (356, 323, 1)):
        height, middle = points[bottom] - points[top], (points[top] + points[bottom]) / 2
        span = float(np.linalg.norm(height))
        at = middle + [out * 0.20 * span, 0.0]
        crescent = _ellipse(at, 0.11 * span, 0.27 * span, side)
        groove = _ellipse(at + [out * 0.07 * span, -0.12 * span], 0.13 * span, 0.40 * span, side)
        rim = _ellipse(at + [out * 0.04 * span, -0.12 * span], 0.11 * span, 0.36 * span, side)
        hollow = np.maximum(hollow, np.maximum(crescent, 0.7 * np.clip(groove - rim, 0, 1)))
    return blur(hollow, 2.4)


def _ellipse(at: Array, half_width: float, half_height: float, side: int) -> Plane:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    r = np.hypot((x - at[0]) / half_width, (y - at[1]) / half_height)
    return 1 - soft_step(r.astype(np.float32), 0.75, 1.15)


def _folds(frame: Frame, seed: int) -> Plane:
    rng, side = np.random.default_rng(seed), frame.side
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    across = (x - frame.middle) / (1.6 * frame.width)
    coarse = blur(rng.normal(size=(side, side)).astype(np.float32), 26.0)
    knit = blur(rng.normal(size=(side, side)).astype(np.float32), 0.9)
    cloth = 1.12 - 0.55 * across**2 - 0.25 * np.clip(across, 0, 1) + 0.12 * coarse / np.abs(coarse).max()
    return np.asarray(cloth * (1 + 0.10 * knit + 0.03 * np.sin(y * 2.1) * np.sin(x * 2.1)), dtype=np.float32)


def _distance(line: Array, side: int) -> Plane:
    mark = np.full((side, side), 255, np.uint8)
    cv2.polylines(mark, [np.round(line).astype(np.int32)], False, 0, 1)
    return np.asarray(cv2.distanceTransform(mark, cv2.DIST_L2, 5), dtype=np.float32)


def _band(line: Array, side: int, width: float) -> Plane:
    return 1 - soft_step(_distance(line, side), width - 1.5, width + 1.5)


def _below_line(line: Array, side: int, fade: float) -> Plane:
    return np.asarray(np.exp(-_distance(line, side) / fade).astype(np.float32))


def _rim(band: Plane) -> Plane:
    return np.clip(4 * band * (1 - band), 0, 1)


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
