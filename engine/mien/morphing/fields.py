"""Distance fields of areas, and the area between two: its outline moves, and there is never a second one beside it.

A cross-fade of two opacities shows both outlines, each half transparent. So the signed distances to both outlines are
averaged instead, and the new outline is where the mean is 0 (distance-field interpolation of Cohen-Or et al.,
Three-dimensional distance field metamorphosis, 1998).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

REACH: Final = 2.5
"""Largest distance that a field tells, in eye distances."""
EDGE: Final = 0.02
"""Half the width of an outline's soft edge, in eye distances."""
NEAR: Final = 0.06
"""Distance between an end's outline and the common one, in eye distances, at which the end's own soft edge (strands of
hair) is no longer seen."""


def distance_field(inside: Bits, eyes: float) -> Floats:
    """(h, w) in 0..2 `REACH`, in eye distances: how far inside an area (h, w), `REACH` being its outline, 0 far
    outside."""
    cells = inside.astype(np.uint8)
    within = cv2.distanceTransform(cells, cv2.DIST_L2, cv2.DIST_MASK_5)
    without = cv2.distanceTransform(1 - cells, cv2.DIST_L2, cv2.DIST_MASK_5)
    if inside.all() or not inside.any():  # there is no outline
        return np.full(inside.shape, 2 * REACH if inside.all() else 0, np.float32)
    return np.asarray(np.clip((within - without) / np.float32(eyes), -REACH, REACH) + REACH, dtype=np.float32)


def spread(values: Bits, known: Bits) -> Bits:
    """`values` (h, w) where they are `known` (h, w), elsewhere those of the nearest known place."""
    if not known.any() or known.all():
        return values
    labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    of_label = np.zeros(int(labels.max()) + 1, bool)
    of_label[labels[known]] = values[known]
    return np.asarray(of_label[labels])


def covered(field: Floats, edge: float = EDGE) -> Pixels:
    """(h, w): how much an area covers, 0..255, by its distance field; its edge is soft over twice `edge`."""
    steep = 255 * 0.5 / edge
    return np.asarray(cv2.addWeighted(field, steep, field, 0, steep * (edge - REACH), dtype=cv2.CV_8U))


def outline_between(alphas: tuple[Pixels, Pixels], fields: tuple[Floats, Floats], degree: float) -> Pixels:
    """(H, W): opacity at `degree` of what has the opacities `alphas` (H, W) and the distance fields `fields` (h, w),
    which are coarser, at both ends.

    At an end it is that end's own opacity, with its soft edge; between, the more the outlines differ, the plainer.
    """
    height, width = alphas[0].shape
    size = (width, height)
    common = cv2.addWeighted(fields[0], 1 - degree, fields[1], degree, 0)
    out = covered(_finer(common, size))
    for alpha, field, share in zip(alphas, fields, (1 - degree, degree), strict=True):
        apart = common - field
        apart *= apart
        near = np.maximum(np.float32(share) - apart * np.float32(share / NEAR**2), 0)
        own = cv2.subtract(alpha, covered(_finer(field, size)), dtype=cv2.CV_32F)
        own *= _finer(near, size)
        out = cv2.add(out, own, dtype=cv2.CV_8U)
    return np.asarray(out)


def _finer(field: Floats, size: tuple[int, int]) -> Floats:
    """A field in `size` (width, height)."""
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
