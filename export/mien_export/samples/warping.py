"""Smooth warps between landmark sets, and the registration of many heads onto their own mean."""

from __future__ import annotations

import cv2
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
