"""The common shape of two bodies: neck and shoulders of both brought to one outline before they are blended.

Each body is measured in eye distances from its chin: half the width of its neck, and for every column beside it how far
down the shoulder begins. The common outline lies between; a body is warped to it by columns: the neck's width is
stretched sideways, the neck's length and the height of the shoulders downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.morphing.layers import EndLayer, coarse
from mien.plane import Box, from_grid
from mien.portrait.portrait import Layer, Portrait
from mien.reenact.target import Target

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

CHIN: Final = 152
COLUMNS: Final = np.linspace(-4.0, 4.0, 161)
"""Places beside the chin, in eye distances, for which the shoulders' height is known."""
NECK: Final = (0.15, 0.7)
"""Heights below the chin, in eye distances, between which the neck is narrowest."""
NARROWEST, WIDEST = 0.3, 1.1
"""Bounds on half the width of a neck."""
ROOT: Final = 0.1
"""How far beside the neck the shoulder is measured first."""
HIGHEST, LOWEST = 0.25, 2.5
"""Bounds on the height of a shoulder."""
SMOOTH: Final = 9
"""Columns over which it is averaged."""
BESIDE: Final = 1.0
"""Distance beside the neck over which a change of its width fades."""


@dataclass(frozen=True, slots=True, eq=False)
class Torso:
    """The outline of a body, in eye distances from the chin."""

    chin: Array
    """(2,): in pixels of the picture."""
    scale: float
    """Pixels in an eye distance."""
    neck: Array
    """(2,): where it ends at its left and right, the left below 0."""
    top: float
    """How far above the chin it begins."""
    shoulders: Array
    """(161,): how far below the chin the body begins, for each of `COLUMNS`; in the neck's columns as beside it."""

    @classmethod
    def of(cls, portrait: Portrait, body: Layer) -> Torso:
        """Of a portrait and its body's layer."""
        chin, scale = portrait.landmarks[CHIN, :2], portrait.pose.scale
        there = body.alpha > 127
        neck = _neck(there, chin - body.corner, scale)
        top = float(chin[1] - body.corner[1] - there.any(axis=1).argmax()) / scale
        return cls(chin, scale, neck, top, _shoulders(there, chin - body.corner, scale, neck))

    def flow(self, common: Torso, box: Box, layer: EndLayer) -> Floats:
        """(h, w, 2): for the pixels of a box of the common picture, where to look in this body's layer."""
        width, height = coarse(box.shape, layer.cell)
        xs = (from_grid(np.arange(width), width / box.width) + box.x - common.chin[0]) / common.scale
        ys = (from_grid(np.arange(height), height / box.height) + box.y - common.chin[1]) / common.scale
        own = np.interp(self._across(common, xs), COLUMNS, self.shoulders)
        other = np.interp(xs, COLUMNS, common.shoulders)
        down = ys[:, None] - other
        above = ys[:, None] + np.maximum(ys, 0)[:, None] * (own / other - 1)
        places = np.empty((height, width, 2), np.float32)
        places[..., 0] = self._across(common, xs) * self.scale + (self.chin[0] - layer.corner[0])
        places[..., 1] = np.where(down < 0, above, own + down) * self.scale + (self.chin[1] - layer.corner[1])
        most = layer.stacked.shape[1] - 1, layer.stacked.shape[0] - 1
        np.minimum(np.maximum(places, 0, out=places), np.array(most, np.float32), out=places)
        return np.asarray(cv2.resize(places, box.size, interpolation=cv2.INTER_LINEAR))

    def _across(self, common: Torso, places: Array) -> Array:
        """Places beside the chin in the common body, where they are in this one."""
        left, right = self.neck / common.neck
        (first, last), ends = common.neck, self.neck - common.neck
        away = np.where(places < 0, first - places, places - last)
        fade = np.clip(1 - away / BESIDE, 0, 1)
        shift = np.where(places < 0, ends[0], ends[1]) * fade
        inner = places * np.where(places < 0, left, right)
        return np.asarray(np.where(away < 0, inner, places + shift))


def torso_between(first: Torso, second: Torso, degree: float, target: Target) -> Torso:
    """The outline of the common body, below the chin of a common face."""
    neck, shoulders = (
        (1 - degree) * one + degree * other
        for one, other in ((first.neck, second.neck), (first.shoulders, second.shoulders))
    )
    top = max(first.top, second.top)
    return Torso(target.landmarks[CHIN, :2], target.pose.scale, neck, top, shoulders)


def _neck(there: NDArray[np.bool_], chin: Array, scale: float) -> Array:
    """(2,): the neck's sides; `there` (h, w): where the body is, `chin` in its pixels."""
    rows = np.clip(np.rint(chin[1] + np.linspace(*NECK, 12) * scale), 0, len(there) - 1).astype(np.int64)
    middle = int(np.clip(round(float(chin[0])), 1, there.shape[1] - 2))
    ends = []
    for part in (there[rows, middle::-1], there[rows, middle:]):
        gaps = ~part
        length = np.where(gaps.any(axis=1), gaps.argmax(axis=1), part.shape[1])
        ends.append(float(np.clip(np.sort(length)[2] / scale, NARROWEST, WIDEST)))
    return np.array([-ends[0], ends[1]])


def _shoulders(there: NDArray[np.bool_], chin: Array, scale: float, neck: Array) -> Array:
    columns = np.rint(chin[0] + COLUMNS * scale).astype(np.int64)
    inside = (columns >= 0) & (columns < there.shape[1])
    below = there[:, np.clip(columns, 0, there.shape[1] - 1)]
    first = below.argmax(axis=0)
    known = inside & below.any(axis=0) & ((neck[0] - ROOT > COLUMNS) | (neck[1] + ROOT < COLUMNS))
    if not known.any():
        return np.full(len(COLUMNS), LOWEST)
    heights = np.clip((first[known] - chin[1]) / scale, HIGHEST, LOWEST)
    filled = np.interp(COLUMNS, COLUMNS[known], heights)
    smooth = cv2.blur(cv2.medianBlur(filled.astype(np.float32)[None], 5), (SMOOTH, 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth[0], dtype=np.float64)
