"""Hats, earrings, necklaces and glasses drawn over a portrait, with their labels: hardly any portrait wears them."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.face import eye_distance
from mien_export.data.occluders import SUBPIXEL, spectacles
from mien_export.families.parsing.face_frame import CHIN, Array, FaceFrame, Floats

Pixels = NDArray[np.uint8]

LOBES: Final = (132, 361)
FOREHEAD: Final = 10
METALS: Final = np.array([(220, 190, 90), (210, 210, 215), (40, 40, 45), (240, 235, 225), (180, 30, 40)], np.float32)
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
