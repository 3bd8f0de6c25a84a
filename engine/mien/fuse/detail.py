"""Detail and grain for what was painted, so that mouth and eyes are as sharp and as grainy as the skin around them.

A generator paints crops of a fixed side. Where the portrait is larger, its paint arrives stretched: smooth, beside skin
that keeps the photograph's pores and grain. Both are given back here, in boxes around mouth and eyes, as much as the
portrait itself shows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.luma import luma
from mien.draw.outlines import Box, box_around
from mien.face import topology
from mien.portrait.portrait import Portrait
from mien.synthesis import Painting
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LARGER: Final = 1.15
"""Pixels of the picture to one of the crop from which on paint needs help."""
SHARPEN: Final = 0.5
"""Share of its own high frequencies that paint gains for each doubling of its size."""
MOST_SHARPEN: Final = 0.8
MOST_GRAIN: Final = 8.0
"""Standard deviation in levels of 0..255: more is not grain but texture."""
TILE: Final = 256
PLACES: Final = (topology.OUTER_LIPS, topology.LEFT_EYE, topology.RIGHT_EYE)
CHEEKS: Final = ((50, 205, 36), (280, 425, 266))
"""Triangles of skin without features, where a portrait's grain is measured."""
MARGIN: Final = 0.12
"""Around mouth and eyes, in eye distances."""


class Detail:
    """Callable for one portrait: works on what was painted into a window, in place."""

    def __init__(self, portrait: Portrait, seed: int = 0) -> None:
        self.grain = min(grain_of(portrait.pixels, portrait.landmarks), MOST_GRAIN)
        self._margin = max(round(MARGIN * portrait.pose.scale), 2)
        rng = np.random.default_rng(seed)
        self._noise = _normalised(rng.standard_normal((TILE, TILE)).astype(np.float32))

    def __call__(self, window: Pixels, painting: Painting, matrix: Array, landmarks: Array) -> None:
        """Give detail to `window` (H, W, 3), into which `painting` was laid by `matrix` (2, 3), window to crop.

        `landmarks` (478, 2 or 3) are the target's in pixels of the window.
        """
        larger = 1 / float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        if larger < LARGER:
            return
        gain = min(SHARPEN * float(np.log2(larger)), MOST_SHARPEN)
        place = np.rint(matrix[:, 2] * larger).astype(int) % TILE
        mask = np.rint(painting.mask * 255).astype(np.uint8)[..., None]
        for outline in PLACES:
            points = landmarks[list(outline), :2]
            box = box_around(points, self._margin, window.shape[1], window.shape[0])
            if box is not None:
                self._work(window, box, mask, matrix, gain, place)

    def _work(
        self, window: Pixels, box: Box, mask: Pixels, matrix: Array, gain: float, place: NDArray[np.int_]
    ) -> None:
        share = _painted_share(mask, matrix, box)
        inner = _painted(share)
        if inner is None:
            return
        share = share[inner]
        around, box = _shifted(box, inner, 1), _shifted(box, inner, 0)
        wide = window[around].astype(np.float32)
        paint = wide[1:-1, 1:-1]
        fine = paint - _means(wide)
        bright = luma(fine)
        has = float(np.sqrt((bright * bright * share).sum() / max(float(share.sum()), 1.0)))
        lacking = np.sqrt(max(self.grain**2 - (has * (1 + gain)) ** 2, 0.0))
        y0, x0 = (box[0].start + place[1]) % TILE, (box[1].start + place[0]) % TILE
        rows, columns = (np.arange(first, first + n) % TILE for first, n in zip((y0, x0), share.shape, strict=True))
        noise = self._noise[rows[:, None], columns]
        fine *= np.float32(gain)
        fine += (np.float32(lacking) * noise)[..., None]
        fine *= share[..., None]
        paint += fine
        paint += np.float32(0.5)
        window[box] = np.clip(paint, 0, 255, out=paint).astype(np.uint8)


def grain_of(picture: Pixels, landmarks: Array) -> float:
    """Standard deviation, in levels, of a picture's high frequencies on the cheeks of a face (478, 2 or 3)."""
    found = []
    for corners in CHEEKS:
        box = box_around(landmarks[list(corners), :2], 0, picture.shape[1], picture.shape[0])
        if box is not None and min(box[0].stop - box[0].start, box[1].stop - box[1].start) >= 4:
            skin = picture[box].astype(np.float32)
            found.append(float(luma(skin - _soft(skin)).std()))
    return float(np.median(found)) if found else 0.0


def _painted_share(mask: Pixels, matrix: Array, box: Box) -> Floats:
    """(h, w): how much of each pixel of the box was painted, for the painting's mask (rows, columns, 1)."""
    into = matrix.copy()
    into[:, 2] += into[:, :2] @ np.array([box[1].start, box[0].start], dtype=np.float64)
    size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    return np.asarray(1 - ops.to_tensor(mask, into.astype(np.float32), size=size)[0], dtype=np.float32)


def _painted(share: Floats) -> Box | None:
    """Rows and columns of what is painted, but for the box's border; None: nothing is."""
    inside = share[1:-1, 1:-1] > 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    return slice(int(rows[0]) + 1, int(rows[-1]) + 2), slice(int(columns[0]) + 1, int(columns[-1]) + 2)


def _shifted(box: Box, part: Box, grown: int) -> Box:
    """A part of a box, grown on all sides, in the picture that the box is of."""
    (y, x), (down, across) = box, part
    return (
        slice(y.start + down.start - grown, y.start + down.stop + grown),
        slice(x.start + across.start - grown, x.start + across.stop + grown),
    )


def _soft(values: Floats) -> Floats:
    """(h, w, C): means over 3 x 3, edges repeated."""
    return _means(np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge"))


def _means(wide: Floats) -> Floats:
    """(h - 2, w - 2, C): means over 3 x 3."""
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9), dtype=np.float32)


def _normalised(noise: Floats) -> Floats:
    """Noise whose high frequencies, as measured here, have a standard deviation of 1."""
    return np.asarray(noise / np.float32((noise - _soft(noise[..., None])[..., 0]).std()), dtype=np.float32)
