"""Where in a crop things are measured: regions from the truth's landmarks, never from the output's."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.crop import SIDE, UNIT, crop_matrix
from mien.face.pose import fit_pose
from mien.face.topology import PARTS
from mien.paint.parsing import parsing_map
from mien.plane import inverse
from mien_bench.quality.picture_measures import blurred
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

REGIONS: Final = ("inner_mouth", "lips", "eyes", "face", "uncovered", "rest")
"""Each place belongs to the first that holds it; `face` is what of it is neither mouth nor eyes."""
EYE_MARGIN: Final = 4.0
"""Pixels of a crop of 256 by which eyes are widened: lids and lashes are part of them."""


def cut(pixels: Pixels, matrix: Array, side: int = SIDE) -> Pixels:
    """(side, side, 3): the crop of a picture (H, W, 3) by `matrix` (2, 3), picture to crop; border repeated.

    Large pictures are averaged first, so that none is sampled with gaps.
    """
    step = max(int(1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))), 1)
    height, width = (side // step * step for side in pixels.shape[:2])
    parts = pixels[:height, :width].reshape(height // step, step, width // step, step, 3)
    small = pixels if step == 1 else np.rint(parts.mean(axis=(1, 3))).astype(np.uint8)
    places = (_places(matrix, side) + 0.5) / step - 0.5
    return ops.flow_warp(np.ascontiguousarray(small), places.astype(np.float32))


def crop_of(landmarks: Array, side: int = SIDE) -> Array:
    """(2, 3): picture to crop, for landmarks (478, 3) in pixels of the picture."""
    return crop_matrix(fit_pose(landmarks), side)


def full_side(landmarks: Array) -> int:
    """The side of a crop as fine as the picture is, for landmarks (478, 3) in its pixels; a multiple of 4."""
    return max(round(SIDE * fit_pose(landmarks).scale / UNIT / 4), 1) * 4


def regions_of(truth: Array, portrait: Array, matrix: Array, size: tuple[int, int], side: int = SIDE) -> Floats:
    """(6, side, side) in 0..1: `REGIONS`, which share out every pixel of the crop that lies in the picture.

    Args:
        truth: (478, 3), landmarks of the wanted picture.
        portrait: (478, 3), of the picture that was moved, in the same pixels: where its face was and the
            truth's is not, something comes into view.
        matrix: (2, 3), picture to crop.
        size: (width, height) of the picture in pixels.
    """
    wanted = dict(zip(PARTS, parsing_map(truth, matrix, (side, side)), strict=True))
    had = dict(zip(PARTS, parsing_map(portrait, matrix, (side, side)), strict=True))
    masks = (
        wanted["teeth"],
        np.maximum(wanted["upper_lip"], wanted["lower_lip"]),
        np.clip(blurred(wanted["eyes"], EYE_MARGIN * side / SIDE) * 8, 0.0, 1.0),
        wanted["face"],
        np.maximum(had["face"] - wanted["face"], 0.0),
        np.ones((side, side), np.float32),
    )
    left = _inside(matrix, size, side)
    out = np.empty((len(REGIONS), side, side), np.float32)
    for region, mask in zip(out, masks, strict=True):
        np.multiply(left, mask, out=region)
        left = left - region
    return out


def _places(matrix: Array, side: int) -> Array:
    """(side, side, 2): where in the picture each pixel of the crop lies."""
    back = inverse(matrix)
    ys, xs = np.mgrid[0:side, 0:side].astype(np.float64)
    return np.asarray(np.stack([xs, ys], axis=-1) @ back[:, :2].T + back[:, 2])


def _inside(matrix: Array, size: tuple[int, int], side: int) -> Floats:
    """(side, side): 1 where the crop shows the picture of `size` (width, height), 0 where it repeats its border."""
    places = _places(matrix, side)
    inside = (places >= 0).all(axis=2) & (places <= np.array(size) - 1).all(axis=2)
    return np.asarray(inside, dtype=np.float32)
