"""Label maps as networks take them: shares of each class in cells of a finer map, and outlines of a face drawn in."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes, topology
from mien.face.classes import CLASSES
from mien.plane import Affine, placed

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]

FINER: Final = 2
"""Labels along each pixel of a network's map: means over cells have soft edges, which move by less than a pixel."""
PARTS: Final = (
    (topology.NOSE, classes.NOSE),
    (topology.NOSE_BRIDGE, classes.NOSE),
    (topology.LEFT_BROW, classes.LEFT_BROW),
    (topology.RIGHT_BROW, classes.RIGHT_BROW),
    (topology.UPPER_LIP, classes.UPPER_LIP),
    (topology.LOWER_LIP, classes.LOWER_LIP),
    (topology.INNER_LIPS, classes.MOUTH),
    (topology.LEFT_EYE, classes.LEFT_EYE),
    (topology.RIGHT_EYE, classes.RIGHT_EYE),
)
"""Outlines of a face with their classes, in the order in which they are drawn."""
PART_CLASSES: Final = tuple(dict.fromkeys(kind for _, kind in PARTS))
"""Classes that landmarks know better than a segmentation does."""
_SHIFT: Final = 4
"""Bits of the fraction of a pixel in corners of outlines."""


def class_shares(labels: Labels, out: Floats | None = None) -> Floats:
    """(19, h, w) in 0..1: shares of the classes in each 2 x 2 of labels (2 h, 2 w)."""
    height, width = labels.shape[0] // FINER, labels.shape[1] // FINER
    out = np.empty((len(CLASSES), height, width), np.float32) if out is None else out
    there = np.bincount(labels.ravel(), minlength=len(CLASSES))
    for kind, plane in enumerate(out):
        if not there[kind]:
            plane.fill(0)
            continue
        hits = (labels == kind).view(np.uint8)
        rows = hits[::2] + hits[1::2]
        np.multiply(rows[:, ::2] + rows[:, 1::2], np.float32(1 / FINER**2), out=plane)
    return out


def draw_parts(labels: Labels, landmarks: Array, matrix: Affine) -> None:
    """Draw brows, eyes, nose, lips and mouth of a face into `labels` (H, W); glasses stay before all but the eyes.

    Args:
        landmarks: (478, 2 or 3) in pixels of a picture.
        matrix: (2, 3), from that picture to the map.
    """
    worn = labels == classes.GLASSES
    points = np.rint(placed(landmarks[:, :2], matrix) * (1 << _SHIFT)).astype(np.int32)
    for outline, kind in PARTS:
        cv2.fillPoly(labels, [points[list(outline)]], int(kind), cv2.LINE_8, _SHIFT)
    worn &= (labels != classes.LEFT_EYE) & (labels != classes.RIGHT_EYE)
    labels[worn] = classes.GLASSES


def without_parts(labels: Labels) -> Labels:
    """A copy of `labels` (H, W) with skin in place of the face's parts."""
    return _WITHOUT_PARTS[labels]


_WITHOUT_PARTS: Final = np.arange(256, dtype=np.uint8)
_WITHOUT_PARTS[list(PART_CLASSES)] = classes.SKIN


def nearest_known(labels: Labels, known: NDArray[np.bool_], otherwise: int = classes.BACKGROUND) -> Labels:
    """Labels (H, W) with the nearest known one in place of each that is not; `otherwise` where none is known."""
    if not known.any():
        return np.full_like(labels, otherwise)
    away = (~known).astype(np.uint8)
    nearest = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[1]
    kinds = np.zeros(int(nearest.max()) + 1, np.uint8)
    kinds[nearest[known]] = labels[known]
    return np.asarray(kinds[nearest])
