"""Blending of many pictures: registration, colour matching, robust mean, mattes, multi-band blending."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray

from mien_export.samples.album import Array, Picture

Plane = NDArray[np.float32]
"""(H, W)"""
Field = NDArray[np.float32]
"""(H, W, 2): for each pixel where to look, in pixels of the source."""
GRID = 8


def spline_field(target: Array, source: Array, side: int, softness: float = 3.0) -> Field:
    """The thin-plate field (side, side, 2) that shows `source` (P, 2) at `target` (P, 2), affine far from them."""
    around = np.linspace(0, 2 * np.pi, 17)[:-1]
    anchors = side / 2 + side * np.column_stack([np.cos(around), np.sin(around)])
    affine = np.linalg.lstsq(_homogeneous(target), source, rcond=None)[0]
    knots = np.concatenate([target, anchors]) / side
    values = np.concatenate([source, _homogeneous(anchors) @ affine])
    steps = np.arange(0, side + GRID, GRID) / side
    grid = np.stack(np.meshgrid(steps, steps), axis=-1)
    coarse = _evaluate(grid.reshape(-1, 2), knots, values, softness / side**2).reshape(*grid.shape)
    at = np.arange(side, dtype=np.float32) / GRID
    return sample(coarse.astype(np.float32), np.stack(np.meshgrid(at, at), axis=-1), cv2.INTER_CUBIC)


def _homogeneous(points: Array) -> Array:
    return np.column_stack([points, np.ones(len(points))])


def _kernel(a: Array, b: Array) -> Array:
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def _evaluate(at: Array, knots: Array, values: Array, ridge: float) -> Array:
    flat = _homogeneous(knots)
    system = np.block([[_kernel(knots, knots) + ridge * np.eye(len(knots)), flat], [flat.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return np.asarray(_kernel(at, knots) @ weights[:-3] + _homogeneous(at) @ weights[-3:])


def sample(picture: Field | Picture | Plane, field: Field, how: int = cv2.INTER_LANCZOS4) -> NDArray[np.float32]:
    """`picture` seen through `field`; the border is continued."""
    seen = cv2.remap(picture, field[..., 0], field[..., 1], how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, dtype=np.float32)


def identity_field(side: int) -> Field:
    """The field that changes nothing."""
    at = np.arange(side, dtype=np.float32)
    return np.stack(np.meshgrid(at, at), axis=-1)


def blur(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of a (H, W) or (H, W, C) array."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), dtype=np.float32)


def register(
    pictures: list[Picture], mattes: list[Plane], rounds: int = 3, stiffness: float = 7.0, reach: float = 14.0
) -> tuple[list[Picture], list[Plane]]:
    """Bend every head a little, at most `reach` pixels, onto the mean of all, so that the mean turns sharp."""
    here = identity_field(pictures[0].shape[0])
    bends = [np.zeros_like(here) for _ in pictures]
    bent, bent_mattes = list(pictures), list(mattes)
    for turn in range(rounds):
        goal = _grey(np.mean([p * m[..., None] for p, m in zip(bent, bent_mattes, strict=True)], axis=0))
        for k, (picture, matte) in enumerate(zip(pictures, mattes, strict=True)):
            step = _flow(goal, _grey(bent[k] * bent_mattes[k][..., None]), stiffness * (1.5 if turn == 0 else 1.0))
            bends[k] = _limited(sample(bends[k], here + step, cv2.INTER_LINEAR) + step, reach)
            bent[k] = np.clip(sample(picture, here + bends[k]), 0, 1)
            bent_mattes[k] = sample(matte, here + bends[k], cv2.INTER_LINEAR)
    return bent, bent_mattes


def _grey(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(np.clip(picture.mean(axis=2), 0, 1) ** (1 / 2.2) * 255, dtype=np.uint8)


def _flow(goal: NDArray[np.uint8], now: NDArray[np.uint8], stiffness: float) -> Field:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return blur(search.calc(goal, now, None), stiffness)


def _limited(field: Field, reach: float) -> Field:
    length = np.linalg.norm(field, axis=2, keepdims=True)
    return np.asarray(field * np.minimum(1, reach / np.maximum(length, 1e-3)), dtype=np.float32)


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


INNER, OUTER = 11, 25
"""Diameters in pixels by which the coarse mask is surely inside or outside."""
KEYED = (7.0, 20.0)
"""Lab distances from the backdrop that count as surely backdrop and surely person."""


def mattes(pictures: Iterable[Picture]) -> Iterator[Plane]:
    """For each picture the share (H, W) of person in every pixel, 0..1."""
    with mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as finder:
        for picture in pictures:
            coarse = finder.process((picture * 255).astype(np.uint8)).segmentation_mask
            yield keyed(picture, np.clip(coarse, 0, 1).astype(np.float32))


def keyed(picture: Picture, coarse: Plane) -> Plane:
    """`coarse` (H, W) decided anew near its edge by how far `picture` differs from its backdrop there."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    near = cv2.dilate((coarse > 0.1).astype(np.float32), _disc(OUTER))
    core = cv2.erode((coarse > 0.9).astype(np.float32), _disc(INNER))
    away = 1 - cv2.dilate((coarse > 0.1).astype(np.float32), _disc(INNER))
    backdrop = blur(lab * away[..., None], 16.0) / (blur(away, 16.0)[..., None] + 1e-4)
    distance = np.linalg.norm(lab - backdrop, axis=2).astype(np.float32)
    return np.maximum(core, np.minimum(near, soft_step(distance, *KEYED)))


def _disc(diameter: int) -> cv2.Mat:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
