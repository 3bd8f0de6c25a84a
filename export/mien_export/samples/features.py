"""Drawing of features that a still portrait does not show: inner mouth, eyeballs, closed lids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien_export.samples.album import Array, Picture
from mien_export.samples.attire import Colour, curve
from mien_export.samples.blending import Plane, blur, face_mask, soft_step

SCALE: Final = 4
UPPER_TEETH: Final = (0.0, 0.094, 0.168, 0.240, 0.296, 0.338)
LOWER_TEETH: Final = (0.0, 0.054, 0.112, 0.176, 0.232, 0.280)
UPPER_EDGES: Final = (0.037, 0.031, 0.035, 0.026, 0.016)
"""How far each tooth, from the middle outwards, hangs below the line of the closed lips; all in eye distances."""
ENAMEL: Final = np.array([0.94, 0.88, 0.77], np.float32)
CAVITY: Final = np.array([0.13, 0.045, 0.045], np.float32)
TONGUE: Final = np.array([0.62, 0.30, 0.30], np.float32)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing board over part of the picture, enlarged `SCALE` times."""

    picture: Picture
    left: int
    top: int

    def points(self, outline: Array) -> NDArray[np.int32]:
        """Picture coordinates as the board's."""
        return np.asarray(np.round((outline - [self.left, self.top]) * SCALE).astype(np.int32))

    def fill(self, outline: Array, colour: NDArray[np.float32], soft: float = 0.0) -> None:
        """Fill an outline (P, 2) with `colour`, its edge `soft` pixels wide."""
        self.blend(self.mask(outline, soft), colour)

    def mask(self, outline: Array, soft: float) -> Plane:
        """Coverage of an outline on the board."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self.points(outline)], 255, cv2.LINE_AA)
        plane = mask.astype(np.float32) / 255
        return blur(plane, soft * SCALE) if soft else plane

    def blend(self, mask: Plane, colour: NDArray[np.float32]) -> None:
        """Put `colour` where `mask` is 1."""
        self.picture[:] += mask[..., None] * (colour - self.picture)

    def shade(self, mask: Plane, amount: float) -> None:
        """Darken by `amount` where `mask` is 1."""
        self.picture[:] *= 1 - amount * mask[..., None]

    def along(self, path: Array) -> NDArray[np.float32]:
        """Colours (W, 3) for the board's columns, found along a path (P, 2) that runs from left to right."""
        height, width = self.picture.shape[:2]
        columns = np.arange(width) / SCALE + self.left
        rows = np.clip((_height_at(columns, path) - self.top) * SCALE, 0, height - 1).astype(int)
        calm = blur(self.picture, 1.2 * SCALE)
        return np.asarray(calm[rows, np.arange(width)], np.float32)

    def line(self, path: Array, width: float, colour: NDArray[np.float32], opacity: float, soft: float = 0.4) -> None:
        """A stroke `width` pixels wide."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        cv2.polylines(mask, [self.points(path)], False, 255, max(1, round(width * SCALE)), cv2.LINE_AA)
        self.blend(blur(mask.astype(np.float32) / 255, soft * SCALE) * opacity, colour)


def _height_at(columns: Array, path: Array) -> Array:
    """y of a path (P, 2) at the x of `columns`."""
    return np.asarray(np.interp(columns, *path[np.argsort(path[:, 0])].T))


def board(picture: Picture, outline: Array, margin: int = 10) -> Sketch:
    """A board over the surroundings of `outline`, showing what `picture` shows there."""
    left, top = (int(v) - margin for v in outline.min(axis=0))
    right, bottom = (int(v) + margin + 1 for v in outline.max(axis=0))
    cut = picture[top:bottom, left:right]
    return Sketch(cv2.resize(cut, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC), left, top)


def put(picture: Picture, sketch: Sketch, mask: Plane) -> None:
    """Bring the board back into `picture`, in place, where `mask` (on the board) is 1."""
    height, width = mask.shape[0] // SCALE, mask.shape[1] // SCALE
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)[..., None]
    drawn = cv2.resize(sketch.picture, (width, height), interpolation=cv2.INTER_AREA)
    part = picture[sketch.top : sketch.top + height, sketch.left : sketch.left + width]
    part += share * (drawn - part)


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """Where the parts of a mouth are: functions of the head's and the jaw's position, in pixels."""

    lips: Array
    """(20, 2) the inner outline."""
    upper: tuple[Array, ...]
    """Outlines of the upper teeth."""
    lower: tuple[Array, ...]
    tongue: Array


def draw_mouth(picture: Picture, mouth: Mouth) -> None:
    """Cavity, tongue and teeth inside the lips, in place."""
    outline = curve([(float(x), float(y)) for x, y in [*mouth.lips, mouth.lips[0]]], 120)
    sketch = board(picture, outline)
    opening = sketch.mask(outline, 0.35)
    sketch.blend(np.ones_like(opening), CAVITY)
    sketch.fill(mouth.tongue, TONGUE, 1.6)
    sketch.fill(mouth.tongue * [1, 1] + [0, 3.0], TONGUE * np.float32(0.8), 2.5)
    for teeth, light in ((mouth.lower, 0.78), (mouth.upper, 1.0)):
        for k, tooth in enumerate(teeth):
            outwards = abs(k - (len(teeth) - 1) / 2) / (len(teeth) / 2)
            sketch.fill(tooth, ENAMEL * np.float32(light * (1 - 0.55 * outwards**2)), 0.35)
    inside = sketch.mask(outline, 0.0)
    deep = blur(1 - inside, 2.2 * SCALE) + blur(np.roll(1 - inside, 3 * SCALE, axis=0), 3.0 * SCALE)
    sketch.shade(np.clip(deep, 0, 1), 0.6)
    put(picture, sketch, opening)


@dataclass(frozen=True, slots=True)
class EyeColours:
    """Taken from the portrait, sRGB 0..1."""

    iris: Colour
    white: Colour


def eye_colours(picture: Picture, points: Array) -> EyeColours:
    """Colours of the eyes of a face with landmarks `points` (478, 2)."""
    side = picture.shape[0]
    y, x = np.mgrid[0:side, 0:side]
    iris, white = [], []
    for eye, ring in zip(topology.EYES, topology.IRISES, strict=True):
        centre, radius = points[ring[0]], np.linalg.norm(points[list(ring[1:])] - points[ring[0]], axis=1).mean()
        far = np.hypot(x - centre[0], y - centre[1]) / radius
        inside = face_mask(points[list(eye)], side, soft=0.5) > 0.7
        iris.append(picture[inside & (far > 0.5) & (far < 0.85)])
        white.append(picture[inside & (far > 1.2)])
    pale = np.concatenate(white)
    pale = pale[pale.mean(axis=1) >= np.quantile(pale.mean(axis=1), 0.6)]
    return EyeColours(_triple(np.median(np.concatenate(iris), axis=0)), _triple(np.median(pale, axis=0)))


def _triple(colour: NDArray[np.float32]) -> Colour:
    return float(colour[0]), float(colour[1]), float(colour[2])


def draw_eye(picture: Picture, lids: Array, open_lid: Array, iris: tuple[Array, float], colours: EyeColours) -> None:
    """An eyeball between the lids, and over it the upper lid as far as it has come down; in place.

    `lids` (16, 2) is the eye's outline now, corners at 0 and 8, upper lid between; `open_lid` (9, 2) the upper lid's
    edge without a blink; `iris` its centre and radius.
    """
    upper, lower = _smooth(lids[:9]), _smooth(np.concatenate([lids[8:], lids[:1]]))
    outline, rest = np.concatenate([upper, lower]), _smooth(open_lid)
    sketch = board(picture, np.concatenate([outline, rest]), 14)
    opening = sketch.mask(outline, 0.3)
    skin = sketch.along(rest - [0, 3.0]), sketch.along(lower + [0, 3.5])
    _draw_ball(sketch, opening, upper, iris, colours)
    fallen = sketch.mask(np.concatenate([rest - [0, 1.0], upper[::-1]]), 0.7)
    covered = float(np.abs(upper - rest)[:, 1].max())
    if covered > 0.8:
        _draw_lid(sketch, fallen, rest, lower, skin)
    sketch.line(upper, 1.5, np.array([0.10, 0.07, 0.06], np.float32), 0.75, 0.5)
    sketch.line(lower, 0.8, np.array([0.30, 0.20, 0.18], np.float32), 0.25, 0.6)
    lash = np.maximum(sketch.mask(np.concatenate([upper - [0, 2.0], upper[::-1] + [0, 1.0]]), 0.6), 0.0)
    put(picture, sketch, np.clip(np.maximum(np.maximum(opening, lash), fallen if covered > 0.8 else 0), 0, 1))


def _smooth(line: Array) -> Array:
    return curve([(float(x), float(y)) for x, y in line], 48)


def _draw_ball(sketch: Sketch, opening: Plane, upper: Array, iris: tuple[Array, float], colours: EyeColours) -> None:
    height, width = opening.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / SCALE
    centre, radius = iris[0] - [sketch.left, sketch.top], iris[1]
    sketch.blend(np.ones_like(opening), np.array(colours.white, np.float32) * np.float32(1.04))
    r = np.hypot(x - centre[0], y - centre[1]) / radius
    streaks = 1 + 0.10 * np.sin(23 * np.arctan2(y - centre[1], x - centre[0])) * np.exp(-(((r - 0.7) / 0.2) ** 2))
    light = (0.85 + 0.45 * np.clip(r - 0.4, 0, 0.5)) * streaks * (1 + 0.25 * np.clip((y - centre[1]) / radius, -1, 1))
    ball = np.array(colours.iris, np.float32) * np.asarray(light, np.float32)[..., None]
    sketch.blend(1 - soft_step(r, 0.93, 1.07), ball)
    sketch.shade(np.exp(-(((r - 0.97) / 0.10) ** 2)).astype(np.float32), 0.45)
    sketch.shade(1 - soft_step(r, 0.34, 0.46), 0.88)
    spark = np.hypot(x - centre[0] + 0.30 * radius, y - centre[1] + 0.34 * radius) / radius
    sketch.blend(0.85 * (1 - soft_step(spark.astype(np.float32), 0.10, 0.26)), np.ones(3, np.float32))
    shadow = sketch.mask(np.concatenate([upper - [0, 12.0], upper[::-1] + [0, 1.2]]), 1.3)
    sketch.shade(shadow, 0.5)
    corners = 1 - blur(opening, 2.0 * SCALE)
    sketch.shade(np.clip(corners, 0, 1), 0.35)


def _draw_lid(sketch: Sketch, fallen: Plane, rest: Array, lower: Array, skin: tuple[Picture, Picture]) -> None:
    """Skin from above and below the eye, column by column, passing into each other; rounded by light and shade."""
    above, below = skin
    height, width = fallen.shape
    columns = np.arange(width) / SCALE + sketch.left
    top, bottom = _height_at(columns, rest), _height_at(columns, lower)
    rows = np.arange(height)[:, None] / SCALE + sketch.top
    down = np.clip((rows - top) / np.maximum(bottom - top, 1.0), 0, 1)[..., None]
    light = 0.97 + 0.10 * np.sin(np.pi * down) - 0.10 * down
    sketch.blend(fallen, np.asarray(((1 - 0.5 * down) * above + 0.5 * down * below) * light, np.float32))
    sketch.line(rest - [0, 0.5], 1.0, np.array([0.25, 0.13, 0.09], np.float32), 0.22, 1.0)
