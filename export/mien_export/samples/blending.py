"""Many pictures into one: colours made alike, robust mean in linear light, multi-band joins."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from mien_export.samples.album import Array, Picture
from mien_export.samples.warping import Plane, blur

GAMMA = 2.2


def linear(picture: Picture) -> Picture:
    """Light from encoded values."""
    return np.asarray(np.clip(picture, 0, 1) ** GAMMA, dtype=np.float32)


def encoded(light: Picture) -> Picture:
    """Encoded values from light."""
    return np.asarray(np.clip(light, 0, 1) ** (1 / GAMMA), dtype=np.float32)


def face_mask(points: Array, side: int, grow: int = 0, soft: float = 9.0) -> Plane:
    """Soft mask of the hull of the landmarks (P, 2)."""
    drawn = np.zeros((side, side), np.uint8)
    hull = np.round(cv2.convexHull(points.astype(np.float32)) * 16).astype(np.int32)
    cv2.fillConvexPoly(drawn, hull, 255, cv2.LINE_AA, 4)
    mask = drawn.astype(np.float32) / 255
    if grow:
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1)))
    return blur(mask, soft)


def alike(pictures: list[Picture], where: Plane, tone: Array | None = None, strength: float = 0.6) -> list[Picture]:
    """Give all the same mean colour (Lab) in `where`, by default the median of theirs, and nearly the same contrast."""
    labs = [cv2.cvtColor(p, cv2.COLOR_RGB2LAB) for p in pictures]
    inside = where > 0.6
    means = np.array([lab[inside].mean(axis=0) for lab in labs])
    spreads = np.array([lab[inside].std(axis=0) for lab in labs])
    mean = np.median(means, axis=0) if tone is None else tone
    gain = strength * np.median(spreads, axis=0) / spreads + (1 - strength)
    return [_recoloured(lab, m, g, mean) for lab, m, g in zip(labs, means, gain, strict=True)]


def _recoloured(lab: Picture, old: Array, gain: Array, new: Array) -> Picture:
    moved = ((lab - old) * gain + new).astype(np.float32)
    return np.asarray(np.clip(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB), 0, 1), dtype=np.float32)


def robust_mean(pictures: list[Picture], mattes: list[Plane], tolerance: float = 0.11) -> tuple[Picture, Plane]:
    """Means of pictures (in linear light) and mattes in which what only few show, as spectacles, is outvoted."""
    stack, shares = np.stack(pictures), np.stack(mattes)
    middle = np.median(stack, axis=0)
    odd = np.stack([blur(np.abs(p - middle).mean(axis=2), 2.0) for p in stack])
    votes = np.exp(-((odd / tolerance) ** 2))
    matte = (shares * votes).sum(axis=0) / votes.sum(axis=0)
    weights = (votes * (shares + 1e-3))[..., None]
    light = (weights * stack**GAMMA).sum(axis=0) / weights.sum(axis=0)
    return encoded(light), matte.astype(np.float32)


def joined(first: Picture, second: Picture, mask: Plane, levels: int = 5) -> Picture:
    """`second` where `mask` is 1 and `first` where it is 0, each band of detail over a seam of its own width."""
    band_1, band_2, masks = _bands(first, levels), _bands(second, levels), _blurred(mask, levels)
    out = sum((1 - m[..., None]) * a + m[..., None] * b for a, b, m in zip(band_1, band_2, masks, strict=True))
    return np.asarray(np.clip(out, 0, 1), dtype=np.float32)


def _blurred(plane: NDArray[np.float32], levels: int) -> list[NDArray[np.float32]]:
    return [plane] + [blur(plane, 2.0**k) for k in range(levels)]


def _bands(picture: Picture, levels: int) -> list[Picture]:
    stages = _blurred(picture, levels)
    return [fine - coarse for fine, coarse in itertools.pairwise(stages)] + [stages[-1]]


def soft_step(plane: Plane, low: float, high: float) -> Plane:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((plane - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def over(top: Picture, matte: Plane, bottom: Picture) -> Picture:
    """`top` over `bottom` in linear light."""
    share = matte[..., None]
    return encoded(share * linear(top) + (1 - share) * linear(bottom))
