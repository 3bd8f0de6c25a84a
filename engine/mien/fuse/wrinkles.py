"""Expression wrinkles: forehead lines, frown lines, crow's feet and nasolabial folds that come with an expression.

A warp moves skin, but never folds it. So lines are drawn on the portrait's own skin as ratio images: the brightness of
wrinkled skin divided by that of smooth skin (the ratio image of Liu, Shan and Zhang, Expressive Expression Mapping with
Ratio Images, 2001), here made from the shape of the lines, not taken from a photograph. Before the portrait is warped,
its pixels are multiplied by the ratio images of the expressions that are shown, each as strong as its muscles' movement
between the picture and the target. A face as it is in the picture gets no line.

Where the lines run is given by landmarks. Their small irregularities are drawn at random, by the picture's digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.posed import Posed

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

DEPTH: Final = 0.16
"""Share of the brightness that the deepest line takes at full strength."""
FULL: Final = 1.2
"""Largest strength; 1 is an expression that a face makes without effort."""
LEAST_WIDTH: Final = 0.8
"""Pixels: a line is drawn no narrower; a small face gets paler lines instead."""
STEP: Final = 1 / 32
"""Strengths are rounded to this, so that a still face is not drawn anew in each frame."""
SEEN: Final = 6.0
"""Distance from a line, in its widths, up to which it changes anything by as much as a tenth of a level."""
FINER: Final = 4
"""Parts of a level in which a line's brightness is kept."""
RIDGE, RIDGE_AT, RIDGE_WIDTH = 0.55, 1.9, 1.6
"""Brightness of the raised skin below a furrow, which catches the light from above, relative to the furrow's darkness;
its distance and width in widths of the furrow."""

BROW: Final = (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300)
UPPER_FOREHEAD: Final = (71, 68, 104, 69, 108, 151, 337, 299, 333, 298, 301)
TOP: Final = (21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251)
"""Rows of landmarks over the forehead, left to right, from the brows upwards."""
FROWN: Final = ((107, 55, 193), (336, 285, 417))
FROWN_MIDDLE: Final = (9, 8, 168)
FOLDS: Final = ((129, 203, 206, 216), (358, 423, 426, 436))
CROW: Final = ((33, 127), (263, 356))
"""Outer corner of the eye and temple."""
BROWS_UP: Final = np.array((105, 66, 107, 334, 296, 336))
INNER_BROWS: Final = np.array((107, 55, 336, 285))
CHEEKS: Final = np.array((117, 118, 346, 347))
NOSE_WINGS: Final = np.array((129, 358))
LIP_CORNERS: Final = np.array((61, 291))


@dataclass(frozen=True, slots=True)
class Wrinkle:
    """A wrinkle."""

    muscle: int
    """Index into `strengths`."""
    path: Array
    """(N, 2): in pixels of the portrait."""
    depth: float
    """0..1 of `DEPTH`."""
    width: float
    """In eye distances."""
    begins: float
    """Strength of its muscle from which on it is seen."""
    lit: bool = True
    """Whether the skin below it catches the light; folds that run upright do not."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """The ratio image of lines that appear together."""

    muscle: int
    begins: float
    box: Box
    """In pixels of the portrait."""
    change: Floats
    """(h, w): what is added to 1 at a strength of 1."""


def strengths(shape: Array, own: Array) -> Array:
    """(4,): how strongly brows are raised, brows are drawn together, cheeks are raised, and the mouth's corners or the
    nose wings are lifted, about 0..1.

    Args:
        shape: (478, 3), un-posed: the target.
        own: the same as it is in the picture.
    """
    way = shape - own
    up = -way[:, 1]
    raised = up[BROWS_UP].mean() / 0.10
    drawn = -up[INNER_BROWS].mean() / 0.05 + max(way[55, 0] - way[285, 0], 0.0) / 0.08
    cheeks = up[CHEEKS].mean() / 0.075
    wider = (way[291, 0] - way[61, 0]) / 0.22
    lifted = max(wider, 0.0) + 0.5 * max(up[LIP_CORNERS].mean(), 0.0) / 0.12
    sneered = 0.5 * max(up[NOSE_WINGS].mean(), 0.0) / 0.05
    return np.array([raised, drawn, cheeks, lifted + sneered])


RAISED, DRAWN, CHEEK, LIFTED = range(4)


def lines_of(points: Array, rng: np.random.Generator) -> list[Wrinkle]:
    """The lines of a face with landmarks (478, 2 or 3) in pixels."""
    plane, eyes = points[:, :2], eye_distance(points)
    return [*_forehead(plane, eyes, rng), *_frown(plane), *_folds(plane), *_crows_feet(plane)]


def _forehead(plane: Array, eyes: float, rng: np.random.Generator) -> list[Wrinkle]:
    brow, upper, top = (plane[list(row)] for row in (BROW, UPPER_FOREHEAD, TOP))
    placed = (
        (brow, upper, 0.62, 0.8, 0.25),
        (brow, upper, 0.95, 1.0, 0.1),
        (upper, top, 0.33, 0.9, 0.2),
        (upper, top, 0.62, 0.55, 0.4),
    )
    lines = []
    for low, high, at, depth, begins in placed:
        path = _smooth((low + (high - low) * at)[1:-1], 80)
        path = path[int(rng.uniform(0, 8)) : int(rng.uniform(72, 80))]
        lines.append(Wrinkle(RAISED, path + _wobble(len(path), 0.012 * eyes, rng), depth, 0.016, begins))
    return lines


def _frown(plane: Array) -> list[Wrinkle]:
    above, between, below = plane[list(FROWN_MIDDLE)]
    lines = []
    for inner in FROWN:
        top, brow, nose = plane[list(inner)]
        ends = (top + (above - top) * 0.5, brow + (between - brow) * 0.42, nose + (below - nose) * 0.5)
        lines.append(Wrinkle(DRAWN, _smooth(np.array(ends), 30)[2:-4], 1.0, 0.016, 0.15, lit=False))
    return lines


def _folds(plane: Array) -> list[Wrinkle]:
    return [Wrinkle(LIFTED, _smooth(plane[list(row)], 40)[2:], 0.7, 0.036, 0.1, lit=False) for row in FOLDS]


def _crows_feet(plane: Array) -> list[Wrinkle]:
    lines = []
    for corner, temple in CROW:
        way = plane[temple] - plane[corner]
        down = np.array([-way[1], way[0]]) * (1.0 if way[0] > 0 else -1.0)
        for angle, first, last, depth in ((-0.45, 0.22, 0.62, 0.7), (-0.05, 0.2, 0.7, 1.0), (0.35, 0.22, 0.6, 0.8)):
            along = np.linspace(first, last, 20)[:, None]
            straight = along * (way * np.cos(angle) + down * np.sin(angle))
            path = plane[corner] + straight + 0.12 * angle * along**2 * down
            lines.append(Wrinkle(CHEEK, path, depth, 0.012, 0.15))
    return lines


def _smooth(knots: Array, count: int) -> Array:
    """(count, 2): a curve through `knots` (K, 2): Catmull-Rom splines."""
    padded = np.concatenate([[2 * knots[0] - knots[1]], knots, [2 * knots[-1] - knots[-2]]])
    at = np.linspace(0, len(knots) - 1 - 1e-9, count)
    first, t = at.astype(int), (at % 1.0)[:, None]
    a, b, c, d = (padded[first + k] for k in range(4))
    curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return np.asarray(0.5 * curve)


def _wobble(count: int, most: float, rng: np.random.Generator) -> Array:
    """(count, 2): a smooth random way up and down, at most `most` pixels."""
    walk = np.convolve(np.cumsum(rng.normal(0.0, 1.0, count + 14)), np.ones(15) / 15, "valid")
    walk -= walk.mean()
    return np.column_stack([np.zeros(count), walk / max(np.abs(walk).max(), 1e-9) * most])


def ratios_of(portrait: Portrait) -> list[Ratio]:
    """The ratio images of a portrait."""
    rng = np.random.default_rng(int(portrait.digest[:16], 16))
    eyes = eye_distance(portrait.landmarks)
    together: dict[tuple[int, float], list[Wrinkle]] = {}
    for line in lines_of(portrait.landmarks, rng):
        together.setdefault((line.muscle, line.begins), []).append(line)
    ratios = []
    for (muscle, begins), lines in together.items():
        for line in lines:
            box = Box.around(line.path, round(SEEN * _width(line, eyes)) + 2, *portrait.size)
            if box is not None:
                change = _drawn(line, box, eyes, rng)
                change *= _skin(portrait.skin, box)
                ratios.append(Ratio(muscle, begins, box, change))
    return ratios


def _skin(skin: Pixels | None, box: Box) -> Floats | np.float32:
    """Less at hair that falls over the forehead, at rims of glasses, at a hat."""
    return np.float32(1.0) if skin is None else _averaged(skin[box.area])


def _averaged(skin: Pixels) -> Floats:
    """(h, w) in 0..1: the mean of each pixel's surroundings."""
    mean = cv2.blur(skin.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    mean *= np.float32(1 / 255)
    return np.asarray(mean, dtype=np.float32)


def _width(line: Wrinkle, eyes: float) -> float:
    return max(line.width * eyes, LEAST_WIDTH)


def _drawn(line: Wrinkle, box: Box, eyes: float, rng: np.random.Generator) -> Floats:
    """(h, w): a furrow along the line, tapering at its ends, with the skin beside it raised."""
    width = _width(line, eyes)
    count = len(line.path)
    fading = np.sin(np.linspace(0.0, np.pi, count)) ** 0.6 * np.convolve(
        rng.uniform(0.6, 1.0, count + 8), np.ones(9) / 9, "valid"
    )
    path, normals = (line.path - box.corner).astype(np.float32), _normals(line.path)
    band = np.zeros(box.shape, np.uint8)
    cv2.polylines(band, [np.rint(path).astype(np.int32)], False, 255, 2 * round(SEEN * width) + 1)
    there = np.nonzero(band)
    places = np.column_stack(there[::-1]).astype(np.float32)
    # by the product's parts: several times as fast as all differences
    nearest = ((path * path).sum(axis=1) - 2 * (places @ path.T)).argmin(axis=-1)
    away = places - path[nearest]
    across = (away * normals[nearest]).sum(axis=-1)
    beyond = np.maximum((away * away).sum(axis=-1) - across**2, 0.0)
    furrow = -np.exp(-((across / width) ** 2))
    below = np.exp(-(((across - RIDGE_AT * width) / (RIDGE_WIDTH * width)) ** 2))
    above = np.exp(-(((across + RIDGE_AT * width) / (RIDGE_WIDTH * width)) ** 2))
    profile = furrow + RIDGE * (below + above / 2 if line.lit else (below + above) * 0.6)
    share = DEPTH * line.depth * min(line.width * eyes / LEAST_WIDTH, 1.0)
    out = np.zeros(box.shape, np.float32)
    out[there] = share * profile * fading[nearest] * np.exp(-beyond / width**2)
    return out


def _normals(path: Array) -> Floats:
    """(N, 2): of length 1, downwards."""
    way = np.gradient(path, axis=0)
    normals = np.column_stack([-way[:, 1], way[:, 0]]) / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    return np.asarray(np.where(normals[:, 1:] < 0, -normals, normals), dtype=np.float32)


class Wrinkles:
    """Callable for one portrait: draws the lines of a posed portrait into its pixels, before these are warped."""

    def __init__(self, portrait: Portrait, pixels: Pixels, corner: Array) -> None:
        """
        Args:
            portrait: whose lines they are.
            pixels: (h, w, 3 or 4): the part of its picture that is drawn into, by each call.
            corner: (2,): where that part begins in the picture.
        """
        self._portrait = portrait
        self._pixels = pixels
        self._corner = corner
        self._own = portrait.shape
        self._shown: tuple[float, ...] = ()
        self._found: list[_Place] | None = None

    def __call__(self, posed: Posed, gain: float = 1.0) -> None:
        """Change the pixels to what the expression of `posed` asks for.

        `gain` is the strength of all lines, 0 (none) to 2. They are made by the first call in which it is not 0.
        """
        if self._found is None and gain == 0:
            return
        felt = strengths(posed.pose.undo(posed.landmarks), self._own)
        wanted = tuple(_rounded(felt[place.muscle], place.begins) * gain for place in self._places)
        if wanted == self._shown:
            return
        for place, strength in zip(self._places, self._shown, strict=False):
            if strength:
                self._pixels[place.area] = place.smooth
        for place, strength in zip(self._places, wanted, strict=True):
            if strength:
                place.draw(self._pixels, strength)
        self._shown = wanted

    def make(self) -> None:
        """Make the lines now, not in the first call that draws them."""
        assert self._places is not None

    @property
    def _places(self) -> list[_Place]:
        if self._found is None:
            places = (_Place.of(ratio, self._pixels, self._corner) for ratio in ratios_of(self._portrait))
            self._found = [place for place in places if place is not None]
        return self._found


def _rounded(felt: float, begins: float) -> float:
    share = min(max((felt - begins) / (1 - begins), 0.0), FULL)
    return round(share / STEP) * STEP


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A ratio image within the pixels that are drawn into: what it adds there and what it takes, at a strength of 1."""

    muscle: int
    begins: float
    area: tuple[slice, slice]
    smooth: Pixels
    """(h, w, C): the pixels without lines."""
    light: Pixels
    dark: Pixels
    """(h, w, C): levels times `FINER`; bytes, since OpenCV adds these several times as fast as floats."""

    @classmethod
    def of(cls, ratio: Ratio, pixels: Pixels, corner: Array) -> _Place | None:
        """None where the image lies outside of the pixels."""
        x, y = ratio.box.x - int(corner[0]), ratio.box.y - int(corner[1])
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + ratio.box.width, pixels.shape[1]), min(y + ratio.box.height, pixels.shape[0])
        if x1 <= x0 or y1 <= y0:
            return None
        smooth = pixels[y0:y1, x0:x1].copy()
        change = smooth.astype(np.float32) * ratio.change[y0 - y : y1 - y, x0 - x : x1 - x, None] * FINER
        change[..., 3:] = 0.0
        light, dark = (np.clip(np.rint(part), 0, 255).astype(np.uint8) for part in (change, -change))
        return cls(ratio.muscle, ratio.begins, (slice(y0, y1), slice(x0, x1)), smooth, light, dark)

    def draw(self, pixels: Pixels, strength: float) -> None:
        """Add the lines to the pixels."""
        part = pixels[self.area]
        cv2.addWeighted(part, 1.0, self.light, strength / FINER, 0.0, dst=part)
        cv2.addWeighted(part, 1.0, self.dark, -strength / FINER, 0.0, dst=part)
