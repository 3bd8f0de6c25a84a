"""What is drawn with its labels, since hardly any portrait shows it: hats, earrings, necklaces, glasses, and bodies.

Portraits to learn from end at the collar; looks from farther away see whole bodies.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.face import eye_distance
from mien_export.data.occluders import SUBPIXEL, spectacles
from mien_export.families.parsing.face_frame import CHIN, Array, Bits, FaceFrame, Floats

Pixels = NDArray[np.uint8]

LOBES: Final = (132, 361)
FOREHEAD: Final = 10
METALS: Final = np.array([(220, 190, 90), (210, 210, 215), (40, 40, 45), (240, 235, 225), (180, 30, 40)], np.float32)
LENGTH: Final = 1.6
"""Rows that are added, as a share of the picture's."""
HANDS: Final = 0.35
"""Share of bodies before which something of the colour of skin is held: it counts as cloth, since it moves with the
body, not with the head."""
RIM: Final = 0.45
"""Opacity from which on a thin part of drawn spectacles is a rim."""


class Worn:
    """A portrait that accessories are drawn onto: `picture` (H, W, 3) and `labels` (H, W) are copies and change."""

    def __init__(self, picture: Pixels, labels: Pixels, landmarks: Array) -> None:
        self.picture, self.labels = picture.copy(), labels.copy()
        self._landmarks = landmarks

    @cached_property
    def _frame(self) -> FaceFrame:
        return FaceFrame.of(self._landmarks, (self.labels.shape[0], self.labels.shape[1]))

    def glasses(self, rng: np.random.Generator) -> None:
        """Spectacles; their rims are labelled, what is seen through them stays what it is."""
        layer = spectacles(self.picture, self._landmarks[:, :2], eye_distance(self._landmarks), rng)
        rims = layer.mask - cv2.morphologyEx(layer.mask, cv2.MORPH_OPEN, np.ones((11, 11), np.uint8))
        self.picture = layer.over(self.picture)
        self.labels[rims > RIM] = classes.GLASSES

    def earrings(self, rng: np.random.Generator) -> None:
        """Studs, drops or rings under the lobes; now and then only one is seen."""
        unit, colour = self._frame.unit, METALS[rng.integers(len(METALS))]
        radius, drop = rng.uniform(0.025, 0.08) * unit, rng.uniform(0.0, 0.12)
        ring, long = rng.uniform() < 0.35, rng.uniform(1.0, 2.5)
        for lobe, side in zip(LOBES, (-1, 1), strict=True):
            if rng.uniform() < 0.15:
                continue
            away = side * rng.uniform(0.02, 0.10) * self._frame.right + (drop + 0.04) * self._frame.down
            mask = np.zeros(self.labels.shape, np.uint8)
            thick = max(round(0.4 * radius), 1) if ring else -1
            size = (radius, radius * (1.4 if ring else long))
            _ellipse(mask, self._frame.points[lobe] + unit * away, size, thick)
            self._paint(mask, classes.EARRING, colour, 1.0, rng)

    def necklace(self, rng: np.random.Generator) -> None:
        """A hanging bow of beads, or a chain, on neck and cloth."""
        body = (self.labels == classes.NECK) | (self.labels == classes.CLOTH)
        if (self.labels == classes.NECK).sum() < 0.02 * self._frame.unit**2:
            return
        frame, t = self._frame, np.linspace(-1, 1, 60)[:, None]
        wide, sag = rng.uniform(0.6, 0.95) * frame.half_width, rng.uniform(0.15, 0.5)
        top = frame.points[CHIN] + rng.uniform(0.15, 0.3) * frame.unit * frame.down
        bow = top + frame.unit * (t * wide * frame.right + sag * (1 - t**2) * frame.down)
        mask = np.zeros(self.labels.shape, np.uint8)
        if rng.uniform() < 0.5:
            radius = rng.uniform(0.02, 0.05) * frame.unit
            for bead in bow[:: int(rng.integers(2, 5))]:
                _ellipse(mask, bead, (radius, radius), -1)
        else:
            cv2.polylines(mask, [_fixed(bow)], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, SUBPIXEL)
        self._paint(mask * body.astype(np.uint8), classes.NECKLACE, METALS[rng.integers(len(METALS))], 1.2, rng)

    def hat(self, rng: np.random.Generator) -> None:
        """A dome from the forehead up, with or without a brim, or wound like a turban; no hair is seen above it."""
        frame = self._frame
        wide, high = rng.uniform(1.05, 1.4) * frame.half_width * frame.unit, rng.uniform(0.45, 0.95) * frame.unit
        middle = frame.points[FOREHEAD] + rng.uniform(-0.02, 0.22) * frame.unit * frame.down
        angle, power = np.linspace(0, np.pi, 40)[:, None], rng.uniform(0.4, 1.0)
        x, y = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power, np.sin(angle) ** power
        mask = np.zeros(self.labels.shape, np.uint8)
        dome = middle + x * wide * frame.right - y * high * frame.down
        cv2.fillPoly(mask, [_fixed(dome)], 255, cv2.LINE_AA, SUBPIXEL)
        if rng.uniform() < 0.55:
            self._add_brim(mask, middle, wide * rng.uniform(1.0, 1.7), rng)
        above = frame.v < (middle - frame.origin) @ frame.down / frame.unit - 0.1
        mask[(self.labels == classes.HAIR) & above] = 255
        self._paint(mask, classes.HAT, rng.uniform(10, 230, 3).astype(np.float32), rng.uniform(0, 1.5), rng, True)

    def _add_brim(self, mask: Pixels, middle: Array, wide: float, rng: np.random.Generator) -> None:
        frame, t = self._frame, np.linspace(-1, 1, 40)[:, None]
        thick, bend = rng.uniform(0.05, 0.2) * frame.unit, rng.uniform(-0.1, 0.15) * frame.unit
        spread = np.sqrt(1 - 0.99 * t**2)
        line = middle + t * wide * frame.right - bend * (1 - t**2) * frame.down
        edge = np.concatenate([line - thick * spread * frame.down, (line + 0.5 * thick * spread * frame.down)[::-1]])
        cv2.fillPoly(mask, [_fixed(edge)], 255, cv2.LINE_AA, SUBPIXEL)

    def _paint(
        self,
        mask: Pixels,
        kind: int,
        colour: NDArray[np.float32],
        texture: float,
        rng: np.random.Generator,
        wound: bool = False,
    ) -> None:
        """Cover what `mask` (H, W) in 0..255 covers by shaded `colour`, and label it."""
        height, width = mask.shape
        shade = 1 + np.float32(0.25 * texture) * noise(24, (height, width), rng) + 0.25 * noise(4, mask.shape, rng)
        if wound and rng.uniform() < 0.4:
            shade = shade + np.float32(rng.uniform(0.05, 0.3)) * _stripes(self._frame, rng)
        share = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.5)[..., None]
        under = self.picture.astype(np.float32)
        over = np.clip(colour * shade[..., None], 0, 255)
        self.picture = np.rint(under + (over - under) * share).astype(np.uint8)
        self.labels[mask > 127] = kind


def noise(cells: int, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """(H, W): smooth unit noise of so many cells along each side."""
    grid = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _stripes(frame: FaceFrame, rng: np.random.Generator) -> Floats:
    """(H, W): folds of wound cloth, in opposite directions left and right."""
    phase = rng.uniform(8, 30) * (frame.v + rng.uniform(-1, 1) * np.abs(frame.u))
    return np.asarray(np.sin(phase), dtype=np.float32)


def _ellipse(mask: Pixels, middle: Array, radii: tuple[float, float], thick: int) -> None:
    centre = (round(float(middle[0]) * 2**SUBPIXEL), round(float(middle[1]) * 2**SUBPIXEL))
    axes = (max(round(radii[0] * 2**SUBPIXEL), 8), max(round(radii[1] * 2**SUBPIXEL), 8))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, thick, cv2.LINE_AA, SUBPIXEL)


def _fixed(points: Array) -> NDArray[np.int32]:
    return np.asarray(np.rint(points * 2**SUBPIXEL), dtype=np.int32)


def without_glasses(labels: Pixels) -> bool:
    """Whether surely no glasses are worn: none labelled, nothing unknown."""
    return bool((labels <= classes.CLOTH).all() and (labels != classes.GLASSES).all())


def with_body(
    picture: Pixels, labels: Pixels, person: Pixels, rng: np.random.Generator
) -> tuple[Pixels, Pixels, Pixels]:
    """Picture (S, S, 3), labels (S, S) and matte (S, S), each with rows added below.

    Hair and neck go on as the last row has them, for some way; all else of the person becomes cloth, and widens.
    """
    side, rows = picture.shape[0], round(LENGTH * picture.shape[0])
    shape = (rows, side)
    last = labels[-1]
    body = _widened(person[-1] > 127, rows, rng.uniform(0.0, 1.0))
    down = np.arange(rows)[:, None]
    hair = body & (last == classes.HAIR) & (down < _hair_lengths(side, rng))
    bare = body & (last == classes.NECK) & (down < _neckline(last, rng))
    added = np.where(body, np.uint8(classes.CLOTH), np.uint8(classes.BACKGROUND))
    added[hair], added[bare] = classes.HAIR, classes.NECK
    below = np.repeat(picture[-1:], rows, axis=0).astype(np.float32)
    below += np.float32(rng.uniform(0, 8)) * noise(40, shape, rng)[..., None]
    cloth = _cloth(picture, labels, shape, rng)
    worn = body & ~hair & ~bare
    below[worn] = cloth[worn]
    matte = np.where(body, np.uint8(255), np.uint8(0))
    whole = np.concatenate([picture, np.clip(below, 0, 255).astype(np.uint8)])
    return whole, np.concatenate([labels, added]), np.concatenate([person, matte])


def _widened(last: Bits, rows: int, slope: float) -> Bits:
    """(rows, S): the extent of the person in the last row, wider by `slope` pixels on each side in each row."""
    columns = np.flatnonzero(last)
    if not len(columns):
        return np.zeros((rows, len(last)), bool)
    reach = slope * np.arange(rows)[:, None]
    x = np.arange(len(last))[None]
    return np.asarray((x >= columns[0] - reach) & (x <= columns[-1] + reach))


def _hair_lengths(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(1, S): rows for which hair goes on in each column."""
    long = rng.uniform(0.0, 0.6) * side
    return np.asarray(long * (1 + 0.2 * noise(12, (1, side), rng)), dtype=np.float64)


def _neckline(last: Pixels, rng: np.random.Generator) -> NDArray[np.float64]:
    """(1, S): rows for which the neck goes on in each column: a V of some depth."""
    columns = np.flatnonzero(last == classes.NECK)
    if not len(columns):
        return np.zeros((1, len(last)))
    middle, half = columns.mean(), max(float(np.ptp(columns)) / 2, 1.0)
    depth = rng.uniform(-0.1, 0.4) * len(last)
    return np.asarray(depth * (1 - np.abs(np.arange(len(last))[None] - middle) / half))


def _cloth(picture: Pixels, labels: Pixels, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(rows, S, 3): what the person wears already, or another garment; plain, with folds, or patterned."""
    seen = picture[labels == classes.CLOTH]
    own = len(seen) > 0 and rng.uniform() < 0.6
    colour = np.median(seen, axis=0) if own else rng.uniform(10, 240, 3)
    shade = 1 + 0.15 * noise(5, shape, rng) + np.float32(rng.uniform(0, 0.25)) * _folds(shape, rng)
    out = colour.astype(np.float32) * shade[..., None]
    if rng.uniform() < 0.25:
        for channel in range(3):
            out[..., channel] += np.float32(rng.uniform(5, 40)) * noise(int(rng.integers(10, 60)), shape, rng)
    if rng.uniform() < HANDS:
        _hold(out, _skin(picture, labels), rng)
    return np.asarray(np.clip(out, 0, 255))


def _folds(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(rows, S): soft lines, mostly downwards."""
    fine = noise(int(rng.integers(12, 40)), (shape[0] // 4, shape[1]), rng)
    return np.asarray(cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _skin(picture: Pixels, labels: Pixels) -> Floats:
    skin = picture[labels == classes.SKIN]
    return np.asarray(np.median(skin, axis=0) if len(skin) else np.array([200, 150, 120]), dtype=np.float32)


def _hold(out: Floats, skin: Floats, rng: np.random.Generator) -> None:
    """Hands and arms, drawn as a few thick lines, in place."""
    rows, columns = out.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        points = rng.uniform((0, 0.15 * rows), (columns, rows), (int(rng.integers(2, 5)), 2)).astype(np.int32)
        mask = np.zeros((rows, columns), np.uint8)
        cv2.polylines(mask, [points], False, 255, int(rng.integers(8, 40)), cv2.LINE_AA)
        share = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None].astype(np.float32) / np.float32(255)
        shade = 1 + 0.15 * noise(10, (rows, columns), rng)[..., None]
        out += (skin * shade - out) * share
