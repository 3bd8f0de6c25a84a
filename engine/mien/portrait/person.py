"""The person in a portrait: clean-up of the matte, and smooth in-painting of what the person hides.

In-painting is push-pull filling (Gortler et al., The Lumigraph, 1996).
"""

from __future__ import annotations

import cv2  # MediaPipe installs it
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import eye_distance
from mien.sums import box_mean

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

CELLS = 256
"""Cells along the longer side: the resolution of a segmentation."""
HOLE = 0.5
"""Area in squared eye distances up to which a hole is a segmentation error; larger holes show the background."""
CREVICE = 0.1
"""Half the width in eye distances of gaps that are closed before holes are searched."""
SOFT = 4
"""Width in cells of the soft edge that is kept around the person."""
SURE = 0.9
"""Fraction of the face's landmarks that a matte must contain to be used."""
GROW = 0.05
"""Margin of the matte around the person in eye distances, for hair that the segmentation does not resolve."""


def one_person(person: Floats, landmarks: NDArray[np.float64]) -> Floats:
    """`person` (H, W) in 0..1, reduced to the component of the face of `landmarks` (478, 2 or 3), small holes closed.

    Where no landmark lies on a person, `person` comes back as it is.
    """
    stride = max(-(-max(person.shape) // CELLS), 1)
    inside = person[::stride, ::stride] > 0.5
    own = _flood(_cells(landmarks, stride, inside.shape) & inside, inside)
    if not own.any():
        return person
    eyes = eye_distance(landmarks) / stride
    reach = max(round(CREVICE * eyes), 1)
    shut = own | _grown(_small_holes(_grown(own, reach), HOLE * eyes**2), reach + 1)
    kept = np.where(_enlarged(_grown(shut, SOFT), stride, person.shape), person, 0.0)
    return np.where(_enlarged(shut & ~own, stride, person.shape), 1.0, kept).astype(np.float32)


def _cells(landmarks: NDArray[np.float64], stride: int, shape: tuple[int, ...]) -> Bits:
    out = np.zeros(shape, bool)
    x, y = (landmarks[:, :2] / stride).astype(np.int64).T
    seen = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    out[y[seen], x[seen]] = True
    return out


def _small_holes(own: Bits, largest: float) -> Bits:
    """Cells of the holes in `own` with at most `largest` cells."""
    rim = np.ones_like(own)
    rim[1:-1, 1:-1] = False
    labels, sizes = _pieces(~own & ~_flood(rim & ~own, ~own))
    small = sizes <= largest
    small[0] = False
    return np.asarray(small[labels])


def _flood(seeds: Bits, within: Bits) -> Bits:
    """All cells of `within` that hang together with `seeds`, which are cells of it, over edges."""
    labels, sizes = _pieces(within)
    reached = np.zeros(len(sizes), bool)
    reached[labels[seeds]] = True
    return np.asarray(reached[labels])


def _pieces(cells: Bits) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The number (h, w) of the piece that each cell belongs to, 0 where there is none, and how many cells each has."""
    count, labels = cv2.connectedComponents(cells.astype(np.uint8), connectivity=4)
    return labels, np.bincount(labels.ravel(), minlength=count)


def _grown(cells: Bits, steps: int = 1) -> Bits:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.dilate(cells.astype(np.uint8), cross, iterations=steps) > 0)


def _enlarged(cells: Bits, stride: int, shape: tuple[int, ...]) -> Bits:
    return cells.repeat(stride, axis=0).repeat(stride, axis=1)[: shape[0], : shape[1]]


def matte_of(person: Floats, landmarks: NDArray[np.float64]) -> NDArray[np.uint8] | None:
    """(H, W): the person with a margin, 255 inside and soft outside; None if `person` misses the face or all else.

    The margin keeps the strands of hair that a mask of 256 pixels a side cannot resolve.
    """
    height, width = person.shape
    points = np.rint(landmarks[list(topology.OVAL), :2]).astype(np.int64)
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    held = person[points[inside, 1], points[inside, 0]] > 0.5
    if not inside.any() or held.mean() < SURE or (person < 0.1).mean() < 0.02:
        return None
    radius = max(GROW * eye_distance(landmarks), 1.0)
    grown = np.clip(box_mean(person, radius) * 4.0, 0.0, 1.0)
    soft = box_mean(box_mean(grown.astype(np.float32), radius / 2), radius / 2)
    return np.asarray(np.rint(soft * 255), dtype=np.uint8)


def fill(pixels: NDArray[np.uint8], known: NDArray[np.bool_], share: float = 1.0) -> NDArray[np.uint8]:
    """`pixels` (H, W, 3) with every place where `known` (H, W) is false filled smoothly from the known ones around.

    A picture of which nothing is known comes back as it is. With a `share` below 1 what is filled in is made at that
    share of the resolution.
    """
    if not known.any():
        return pixels.copy()
    mask = known.view(np.uint8)
    if share < 1:
        size = (max(round(known.shape[1] * share), 1), max(round(known.shape[0] * share), 1))
        sure = cv2.resize(mask * np.uint8(255), size, interpolation=cv2.INTER_AREA) == 255
        if sure.any():
            small = fill(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), sure)
            return np.asarray(cv2.copyTo(pixels, mask, cv2.resize(small, known.shape[::-1])), dtype=np.uint8)
    colour = cv2.copyTo(pixels.astype(np.float32), mask, np.zeros(pixels.shape, np.float32))
    smooth = filled(colour, known.astype(np.float32)[..., None])
    out = np.clip(np.rint(smooth, out=smooth), 0, 255, out=smooth).astype(np.uint8)
    return np.asarray(cv2.copyTo(pixels, mask, out), dtype=np.uint8)


def filled(colour: Floats, weight: Floats) -> Floats:
    """Values (H, W, 3), continued smoothly to everywhere, of which `colour` is the product with `weight` (H, W, 1) in
    0..1."""
    height, width = weight.shape[:2]
    if min(height, width) <= 1 or weight.min() > 0:
        total = np.maximum(weight, 1e-6)
        mean = colour.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight > 1e-6, colour / total, mean).astype(np.float32)
    sums, weights = _halve(colour), _halve(weight)
    full = np.maximum(weights, 1.0)
    sums /= _each(full)
    weights /= full
    below = _double(filled(sums, weights), height, width)
    below *= _each(1 - weight)
    below += colour
    return below


def _each(values: Floats) -> Floats:
    """(H, W, 3) of (H, W, 1): NumPy multiplies arrays of one shape several times as fast."""
    return np.asarray(cv2.merge([values] * 3), dtype=np.float32)


def _halve(image: Floats) -> Floats:
    """Sum of 2 x 2 blocks, edges repeated on odd sizes; sums let a single known pixel speak for its block."""
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    halves = (padded.shape[1] // 2, padded.shape[0] // 2)
    means = cv2.resize(padded, halves, interpolation=cv2.INTER_AREA)
    return np.asarray(4 * means.reshape(*halves[::-1], -1))


def _double(image: Floats, height: int, width: int) -> Floats:
    """Bilinear enlargement by two, cut to (height, width)."""
    doubled = cv2.resize(image, (2 * image.shape[1], 2 * image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(doubled.reshape(*doubled.shape[:2], -1)[:height, :width])
