"""Matching of painted areas to the portrait: sharpness, grain, and the tone of toned pictures.

The generator paints crops of a fixed size. In a larger portrait its picture is scaled up and therefore smooth, next to
skin with the photograph's pores and grain. Sharpness and grain are added in boxes around mouth and eyes, as much as the
portrait itself has. The generator also paints red mouths, and the driver's mouth is red: in a grey or sepia picture,
where colour is a function of brightness, both are mapped through that function.
"""

from __future__ import annotations

import math
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.plane import Box, from_box
from mien.portrait.portrait import Portrait
from mien.posed import Painting
from mien.sums import luma
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LARGER: Final = 1.15
"""Picture pixels per crop pixel above which detail is added."""
SHARPEN: Final = 0.5
"""Sharpening: fraction of the high frequencies that is added per doubling of the size."""
MOST_SHARPEN: Final = 0.8
MOST_GRAIN: Final = 8.0
"""Standard deviation in levels of 0..255: more is not grain but texture."""
TILE: Final = 256
PLACES: Final = tuple(np.array(ring) for ring in (topology.OUTER_LIPS, topology.LEFT_EYE, topology.RIGHT_EYE))
CHEEKS: Final = ((50, 205, 36), (280, 425, 266))
"""Triangles of skin without features, where a portrait's grain is measured."""
MARGIN: Final = 0.12
"""Around mouth and eyes, in eye distances."""
Levels = NDArray[np.intp]
LEVELS: Final = 256
BLOCK: Final = 4
"""Side in pixels of the blocks over which colours are averaged: JPEG stores colours coarsely."""
NOISE: Final = 6.0
"""Levels by which a block of a toned picture may be off its tone. Of four samples, toned and saved as JPEG of quality
80, 0.2 to 1.7 % of the face's blocks are further off; of the same with a quarter of their colour, 9 % and more."""
COLOURED: Final = 0.025
"""Fraction of such blocks above which a picture is in colour: lips alone are 3.6 to 5.9 % of a face."""
DEGREE: Final = 3
"""Degree of the polynomials over brightness that describe a tone."""
_SHARES: Final = (77, 150, 29)
"""Of red, green and blue in brightness, in 256ths (ITU-R BT.601)."""


class Detail:
    """Callable for one portrait; changes the painted area of a window in place."""

    def __init__(self, portrait: Portrait, seed: int = 0) -> None:
        self.grain = min(grain_of(portrait.pixels, portrait.landmarks), MOST_GRAIN)
        self._margin = max(round(MARGIN * portrait.pose.scale), 2)
        rng = np.random.default_rng(seed)
        self._noise = _normalised(rng.standard_normal((TILE, TILE)).astype(np.float32))

    def __call__(self, window: Pixels, painting: Painting, matrix: Array, landmarks: Array) -> None:
        """Add detail to `window` (H, W, 3), into which `painting` was pasted by `matrix` (2, 3), window to crop.

        `landmarks` (478, 2 or 3) are the target's in pixels of the window.
        """
        (a, b), (c, d) = matrix[:, :2].tolist()
        larger = 1 / math.sqrt(abs(a * d - b * c))
        if larger < LARGER:
            return
        gain = min(SHARPEN * math.log2(larger), MOST_SHARPEN)
        place = np.rint(matrix[:, 2] * larger).astype(int) % TILE
        found = [
            Box.around(landmarks[outline, :2], self._margin, window.shape[1], window.shape[0]) for outline in PLACES
        ]
        boxes = [box for box in found if box is not None]
        if not boxes:
            return
        x0, y0 = min(box.x for box in boxes), min(box.y for box in boxes)
        whole = Box.between(x0, y0, max(box.right for box in boxes), max(box.bottom for box in boxes))
        painted = _painted_share(painting.mask, matrix, whole)
        for box in boxes:
            share = painted[box.y - y0 : box.bottom - y0, box.x - x0 : box.right - x0]
            self._work(window, box, share, gain, place)

    def _work(self, window: Pixels, box: Box, share: Floats, gain: float, place: NDArray[np.int_]) -> None:
        inner = _painted(share)
        if inner is None:
            return
        share = share[inner.area]
        around, box = box.part(inner, grown=1), box.part(inner)
        planes = window[around.area].transpose(2, 0, 1)  # several times as fast as pixels
        wide = planes.astype(np.float32, order="C")
        paint = wide[:, 1:-1, 1:-1]
        fine = paint - _means(wide)
        bright = luma(fine, axis=0)
        has = math.sqrt(float((bright * bright * share).sum()) / max(float(share.sum()), 1.0))
        lacking = math.sqrt(max(self.grain**2 - (has * (1 + gain)) ** 2, 0.0))
        y0, x0 = (box.y + int(place[1])) % TILE, (box.x + int(place[0])) % TILE
        fine *= np.float32(gain)
        fine += np.float32(lacking) * _wrapped(self._noise, y0, x0, share.shape)
        fine *= share
        fine += paint
        fine += np.float32(0.5)
        np.minimum(np.maximum(fine, 0, out=fine), 255, out=fine)
        window[box.area] = cv2.merge([*fine.astype(np.uint8)])


def _wrapped(tile: Floats, y: int, x: int, shape: tuple[int, ...]) -> Floats:
    """(h, w): what lies at (x, y) of a picture in which `tile` (TILE, TILE) is repeated."""
    if y + shape[0] <= TILE and x + shape[1] <= TILE:
        return tile[y : y + shape[0], x : x + shape[1]]
    rows, columns = (np.arange(first, first + n) % TILE for first, n in zip((y, x), shape, strict=True))
    return np.asarray(tile[rows[:, None], columns])


def grain_of(picture: Pixels, landmarks: Array) -> float:
    """Standard deviation, in levels, of a picture's high frequencies on the cheeks of a face (478, 2 or 3)."""
    found = []
    for corners in CHEEKS:
        box = Box.around(landmarks[list(corners), :2], 0, picture.shape[1], picture.shape[0])
        if box is not None and min(box.size) >= 4:
            skin = picture[box.area].astype(np.float32)
            found.append(float(luma(skin - _soft(skin)).std()))
    return float(np.median(found)) if found else 0.0


def _painted_share(mask: Floats, matrix: Array, box: Box) -> Floats:
    """(h, w): how much of each pixel of the box was painted, for the painting's mask (rows, columns)."""
    into = from_box(matrix, box).astype(np.float32)
    levels = np.rint(mask * 255).astype(np.uint8)[..., None]
    return np.asarray(1 - ops.to_tensor(levels, into, size=box.shape)[0], dtype=np.float32)


def _painted(share: Floats) -> Box | None:
    """Rows and columns of what is painted, but for the box's border; None: nothing is."""
    inside = share[1:-1, 1:-1] > 0
    x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
    return Box(x + 1, y + 1, width, height) if width else None


def _soft(values: Floats) -> Floats:
    """(h, w, C): means over 3 x 3, edges repeated."""
    planes = np.moveaxis(np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge"), 2, 0)
    return np.moveaxis(_means(planes), 0, 2)


def _means(wide: Floats) -> Floats:
    """(C, h - 2, w - 2) of (C, h, w): means over 3 x 3."""
    rows = wide[:, :-2] + wide[:, 1:-1]
    rows += wide[:, 2:]
    means = rows[..., :-2] + rows[..., 1:-1]
    means += rows[..., 2:]
    means /= np.float32(9)
    return np.asarray(means)


def _normalised(noise: Floats) -> Floats:
    """Noise whose high frequencies, as measured here, have a standard deviation of 1."""
    return np.asarray(noise / np.float32((noise - _soft(noise[..., None])[..., 0]).std()), dtype=np.float32)


class Tone:
    """Callable: maps a window (h, w, 3), in place, to the portrait's colour at each brightness."""

    def __init__(self, colours: Pixels) -> None:
        """`colours`: (256, 3), by brightness."""
        self._colours = colours

    @classmethod
    def of(cls, portrait: Portrait) -> Self | None:
        """The tone of a portrait; None for a portrait in colour."""
        low, high = portrait.landmarks[:, :2].min(axis=0), portrait.landmarks[:, :2].max(axis=0)
        (x0, y0), (x1, y1) = np.maximum(low / BLOCK, 0).astype(int), np.ceil(high / BLOCK).astype(int)
        blocks = _averaged(portrait.pixels)
        colours = _fitted(blocks)
        # both: a face in grey before a coloured wall is as much in colour as a made-up one before a grey wall
        toned = all(_coloured(part, colours) < COLOURED for part in (blocks[y0:y1, x0:x1], blocks))
        return cls(np.clip(np.rint(colours), 0, LEVELS - 1).astype(np.uint8)) if toned else None

    def __call__(self, window: Pixels, threads: int = 1) -> None:
        ops.tone(window, self._colours, threads)


def _averaged(pixels: Pixels) -> Pixels:
    """(H / BLOCK, W / BLOCK, 3) of (H, W, 3)."""
    height, width = (side // BLOCK for side in pixels.shape[:2])
    whole = pixels[: height * BLOCK, : width * BLOCK]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _brightness(pixels: Pixels) -> Levels:
    """(...) of (..., 3), in whole levels."""
    return np.asarray((pixels.astype(np.uint16) * np.array(_SHARES, np.uint16)).sum(axis=-1) >> 8, dtype=np.intp)


def _fitted(pixels: Pixels) -> NDArray[np.float64]:
    """(256, 3): least-squares fit of a smooth tone to a picture (H, W, 3)."""
    levels = _brightness(pixels).ravel()
    counts = np.bincount(levels, minlength=LEVELS)
    there = np.flatnonzero(counts)
    at = np.linspace(-1.0, 1.0, LEVELS)
    colours = np.empty((LEVELS, 3))
    for channel in range(3):
        means = np.bincount(levels, pixels[..., channel].ravel(), LEVELS)[there] / counts[there]
        degree = min(DEGREE, len(there) - 1)
        colours[:, channel] = np.polyval(np.polyfit(at[there], means, degree, w=np.sqrt(counts[there])), at)
    return colours


def _coloured(pixels: Pixels, colours: NDArray[np.float64]) -> float:
    """The share of pixels (H, W, 3) whose colour is another one than that of their brightness."""
    if not pixels.size:
        return 0.0
    off = np.abs(pixels - colours[_brightness(pixels)]).max(axis=-1)
    return float((off > NOISE).mean())
