"""Things before a face: hands, hair, microphones, glasses and plain shapes, drawn over a picture.

They are not true to life in detail, but of the right size, colour, softness and place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import eye_distance
from mien_export.data.skin import CHEEKS

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SUBPIXEL: Final = 4
"""Bits of a drawn point's fraction."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something before a picture."""

    colour: Floats
    """(H, W, 3), 0..255."""
    mask: Floats
    """(H, W), 0..1."""

    def over(self, picture: Pixels) -> Pixels:
        """`picture` (H, W, 3) behind the layer."""
        out = picture.copy()
        x, y, width, height = cv2.boundingRect((self.mask > 0).astype(np.uint8))
        box = (slice(y, y + height), slice(x, x + width))
        under = picture[box].astype(np.float32)
        over = under + (self.colour[box] - under) * self.mask[box][..., None]
        out[box] = np.clip(over + np.float32(0.5), 0, 255).astype(np.uint8)
        return out


def hand(picture: Pixels, points: Array, unit: float, rng: np.random.Generator) -> Layer:
    """Fingers, side by side, that reach into the lower face or a cheek from outside. `unit` is the eye distance."""
    goal = points[rng.choice([152, 17, 14, 61, 291, 205, 425, 50, 280, 4])] + rng.normal(0.0, 0.12 * unit, 2)
    side = 1.0 if goal[0] > points[4, 0] else -1.0
    angle = np.pi / 2 - side * rng.uniform(-0.1, 1.2)  # from below, or from the goal's side
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    radius = rng.uniform(0.095, 0.13) * unit
    height = np.zeros(picture.shape[:2], np.float32)
    for k in range(int(rng.integers(1, 5))):
        spread = across * (k - 1.0) * radius * rng.uniform(1.7, 2.1)
        tip = goal + spread + along * radius * rng.uniform(0.0, 1.5)
        knuckle = tip + along * unit * rng.uniform(0.45, 0.6) + spread * rng.uniform(-0.1, 0.35)
        _tube(height, tip, knuckle, radius * 0.88, radius)
        _tube(height, knuckle, knuckle + along * unit + spread * 0.2, radius, radius * 1.15)
    _tube(height, goal + along * unit * 1.0, goal + along * unit * 2.4, radius * 2.6, radius * 3.0)
    skin = _mean_at(picture, points[list(CHEEKS)]) * rng.uniform(0.75, 1.1) * [1.0, *rng.uniform(0.93, 1.03, 2)]
    if rng.uniform() < 0.25:
        skin = np.array([205.0, 150.0, 125.0]) * rng.uniform(0.3, 1.1)
    return _modelled(height, skin, rng, 0.45)


def hair(picture: Pixels, points: Array, unit: float, rng: np.random.Generator) -> Layer:
    """Strands that fall from the forehead or temple over brow, eye or cheek."""
    start = points[rng.choice([10, 109, 338, 67, 297, 103, 332, 54, 284])] + [0.0, -0.25 * unit]
    end = points[rng.choice([105, 334, 159, 386, 117, 346, 205, 425, 93, 323])]
    bow = (start + end) / 2 + rng.normal(0.0, 0.25 * unit, 2)
    colour = _mean_at(picture, points[[10, 109, 338]] + [0.0, -0.3 * unit]) * rng.uniform(0.6, 1.15)
    mask = np.zeros(picture.shape[:2], np.uint8)
    shade = np.full(picture.shape[:2], 128, np.uint8)
    t = np.linspace(0.0, 1.0, 12)[:, None]
    width = rng.uniform(0.03, 0.2) * unit
    for _ in range(int(rng.integers(6, 50))):
        off = rng.normal(0.0, width, 2)
        a, b, c = start + off, bow + off * rng.uniform(0.5, 1.4), end + off * rng.uniform(0.2, 1.8)
        curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        drawn = [np.rint(curve * 2**SUBPIXEL).astype(np.int32)]
        thick = int(rng.integers(1, 3))
        cv2.polylines(mask, drawn, False, int(rng.integers(120, 256)), thick, cv2.LINE_AA, SUBPIXEL)
        cv2.polylines(shade, drawn, False, int(rng.integers(80, 190)), thick, cv2.LINE_AA, SUBPIXEL)
    tone = cv2.GaussianBlur(shade, (0, 0), 0.7).astype(np.float32)[..., None] / np.float32(128)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.4, 0.9)).astype(np.float32) / np.float32(255)
    return Layer(np.asarray(tone * colour.astype(np.float32), dtype=np.float32), soft)


def microphone(picture: Pixels, points: Array, unit: float, rng: np.random.Generator) -> Layer:
    """A dark head before the chin or mouth, on a stick from below."""
    head = points[rng.choice([152, 17, 14, 61, 291])] + rng.normal(0.0, 0.12 * unit, 2) + [0.0, 0.15 * unit]
    radius = rng.uniform(0.13, 0.26) * unit
    lean = np.array([rng.normal(0.0, 0.5), 1.0])
    height = np.zeros(picture.shape[:2], np.float32)
    _tube(height, head, head + lean * 0.35 * radius, radius, radius * 0.95)
    _tube(height, head + lean * radius, head + lean * 6 * unit, radius * 0.55, radius * 0.5)
    grey = rng.uniform(8.0, 90.0) * np.array([1.0, *rng.uniform(0.9, 1.15, 2)])
    layer = _modelled(height, grey, rng, 0.75)
    grille = rng.standard_normal(picture.shape[:2], np.float32) * np.float32(rng.uniform(0.0, 0.3)) + np.float32(1)
    return Layer(layer.colour * grille[..., None], layer.mask)


def thing(picture: Pixels, points: Array, unit: float, rng: np.random.Generator) -> Layer:
    """A plain thing with corners (a phone, a cup, a sheet) before part of the face, in one colour with a gradient."""
    goal = points[rng.choice([152, 61, 291, 205, 425, 93, 323, 105, 334, 1])] + rng.normal(0.0, 0.2 * unit, 2)
    size = rng.uniform(0.15, 0.55, 2) * unit
    turn = rng.uniform(0.0, 360.0)
    mask = np.zeros(picture.shape[:2], np.uint8)
    corners = cv2.boxPoints(((float(goal[0]), float(goal[1])), (float(size[0] * 2), float(size[1])), turn))
    cv2.fillPoly(mask, [np.rint(corners * 2**SUBPIXEL).astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 2.5)).astype(np.float32) / np.float32(255)
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
    slope = rng.normal(0.0, 0.25, 2) / unit
    tone = np.clip(1 + (x - goal[0]) * slope[0] + (y - goal[1]) * slope[1], 0.3, 1.7)[..., None]
    colour = rng.uniform(10.0, 235.0) * rng.uniform(0.5, 1.0, 3)
    return Layer(np.asarray(tone * colour, dtype=np.float32), soft)


def _tube(height: Floats, a: Array, b: Array, from_radius: float, to_radius: float) -> None:
    """Raise `height` (H, W), in pixels, to a round bar from `a` to `b` where that is higher."""
    reach = max(from_radius, to_radius) + 1
    x0, y0 = (max(int(v), 0) for v in np.minimum(a, b) - reach)
    x1, y1 = (min(int(v) + 1, n) for v, n in zip(np.maximum(a, b) + reach, height.shape[::-1], strict=True))
    if x1 <= x0 or y1 <= y0:
        return
    x = np.arange(x0, x1, dtype=np.float32)[None] - np.float32(a[0])
    y = np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(a[1])
    way = (b - a).astype(np.float32)
    share = np.clip((x * way[0] + y * way[1]) / max(float(way @ way), 1e-6), 0.0, 1.0)
    radius = np.float32(from_radius) + share * np.float32(to_radius - from_radius)
    rest = radius * radius - (x - share * way[0]) ** 2 - (y - share * way[1]) ** 2
    part = height[y0:y1, x0:x1]
    np.maximum(part, np.sqrt(np.maximum(rest, 0.0)), out=part)


def _modelled(height: Floats, colour: Array, rng: np.random.Generator, contrast: float) -> Layer:
    """A body of this `height` (H, W) in pixels, lit from above."""
    smooth = cv2.GaussianBlur(height, (0, 0), 1.0)
    down, right = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    light = np.array([rng.normal(0.0, 0.5), -0.5])
    facing = (1 - right * light[0] - down * light[1]) / np.sqrt(1 + right * right + down * down)
    tone = np.clip(1 + contrast * (facing - 1), 0.15, 1.4)[..., None]
    mask = cv2.GaussianBlur((height > 0).astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))
    return Layer(np.asarray(tone * colour.astype(np.float32), dtype=np.float32), mask)


def _mean_at(picture: Pixels, points: Array) -> Array:
    x, y = np.rint(points).astype(np.int64).T
    height, width = picture.shape[:2]
    found = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
    return np.asarray(np.median(found, axis=0))


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


Maker = Callable[[Pixels, Array, float, np.random.Generator], Layer]

KINDS: Final[dict[str, Maker]] = {
    "hand": hand,
    "hair": hair,
    "microphone": microphone,
    "spectacles": spectacles,
    "thing": thing,
}


def occlude(
    picture: Pixels, landmarks: Array, rng: np.random.Generator, kind: str | None = None
) -> tuple[Pixels, Floats]:
    """A portrait with something before its face.

    Args:
        picture: (H, W, 3) RGB.
        landmarks: (478, 2 or 3) in its pixels.
        rng: draws what, where and how.
        kind: one of `KINDS`; drawn where None.

    Returns:
        The picture, and (H, W) in 0..1: how much of each pixel is hidden.
    """
    name = kind or str(rng.choice(list(KINDS)))
    layer = KINDS[name](picture, landmarks[:, :2], eye_distance(landmarks), rng)
    return layer.over(picture), layer.mask
