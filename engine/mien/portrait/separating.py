"""Which pixels of a person belong to the head: from the segmenter's classes, held to edges of the picture.

The classes are known at the resolution of the networks' crop. Guided filters (He et al., Guided Image Filtering, PAMI
2013) bring their borders to the edges that the picture shows.
"""

from __future__ import annotations

from typing import Final

import cv2  # MediaPipe installs it, with its module ximgproc
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.crop import crop_matrix
from mien.face.face import eye_distance
from mien.face.pose import fit_pose
from mien.plane import Affine
from mien.sums import smoothstep

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SKIN: Final = (1,)
FEATURES: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
"""Of the face, with glasses and ears."""
HAIR: Final = (13, 14, 15)
"""Hair, hat, earrings."""
NECK: Final = (16, 17)
"""Necklace, neck."""
CLOTH: Final = (18,)
GROUPS: Final = (SKIN, FEATURES, HAIR, NECK, CLOTH)

HAIR_ENDS: Final = (2.0, 2.5)
"""Heights below the eyes, in eye distances, between which hanging hair becomes part of the body."""
THROAT: Final = (0.03, 0.13)
"""Distances below the face contour, in eye distances, between which skin becomes part of the neck."""
LOBES: Final = (0.35, 0.55)
"""Heights below the eyes, in eye distances, between which skin beside the face may begin to be the neck's."""
WIDEST: Final = (1.7, 2.2)
"""Distances to the side from the middle of the face, in eye distances, beyond which there is no head."""
STRANDS: Final = 1.0
"""How far below sure hair cloth may be hair, in eye distances."""
RARE: Final = 1e-5
"""Share of pixels in a cell of colour up to which it tells nothing."""
OWN: Final = (0.2, 0.5)
"""How surely a colour is the person's, below which it is the background's, above which it is not."""
PERSON: Final = (0.1, 0.5)
"""The same by the network of persons."""
LEAST_SEEN: Final = 100
"""Pixels from which colours are counted."""
THREAD: Final = 0.05
"""Half the width up to which a part of the head below the ears is a thread, in eye distances."""
ROOTS: Final = (0.03, 0.08)
"""Distances from what is no thread, in eye distances, between which a thread is cut."""
BESIDE: Final = 0.12
"""How far from the body a thread is taken for the body's, in eye distances."""
RADIUS, SMOOTHNESS = 0.07, 3e-4
"""Of the guided filter, in eye distances, and in squared levels of 0..1."""
STEEP: Final = 2.5
"""How much steeper than the guided filter's answer the edge between head and body is made."""


def head_share(pixels: Pixels, landmarks: Array, shares: Floats) -> Floats:
    """(H, W) in 0..1: how much of each pixel of the person belongs to the head; outside of the person it means nothing.

    Args:
        pixels: (H, W, 3).
        landmarks: (478, 3) in pixels.
        shares: (5, H, W) in 0..1: how surely each pixel is of each of `GROUPS`.
    """
    eyes = eye_distance(landmarks)
    skin, features, hair = shares[:3]
    to_head = _in_head(landmarks)
    side, down = _places(pixels.shape[:2], to_head)
    below = _below_contour(landmarks, pixels.shape[:2], eyes)
    face = features + skin * (1 - _step(below, THROAT))
    near = (1 - _step(down, HAIR_ENDS)) * (1 - _step(np.abs(side), WIDEST))
    hair = (hair + _strands(pixels, shares, eyes)) * near
    share = _spread(face + hair, shares.sum(axis=0))
    oval = _oval(landmarks, pixels.shape[:2])
    share = np.maximum(share, oval)
    share = _held_together(share.astype(np.float32), oval)
    return _to_edges(pixels, share, eyes)


def without_threads(share: Floats, whole: Floats, landmarks: Array) -> Floats:
    """`share` (H, W), as `head_share` gives it, without threads of the head along the body below the ears: edges of
    collars and shoulders, which would go along with the head as crumbs.

    Args:
        whole: (H, W) in 0..1, opacity of the person.
        landmarks: (478, 3) in pixels.
    """
    eyes = eye_distance(landmarks)
    head, body = (whole > 0.9) & (share > 0.5), (whole > 0.9) & (share < 0.5)
    width = 2 * max(round(THREAD * eyes), 1) + 1
    solid = cv2.morphologyEx(
        head.astype(np.uint8), cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    )
    away, apart = (cv2.distanceTransform(1 - cells, cv2.DIST_L2, 3) / eyes for cells in (solid, body.astype(np.uint8)))
    _, down = _places(share.shape, _in_head(landmarks))
    return np.asarray(share * (1 - _step(away, ROOTS) * _step(down, LOBES) * (apart < BESIDE)), dtype=np.float32)


def _strands(pixels: Pixels, shares: Floats, eyes: float) -> Floats:
    """(H, W): what is called cloth or neck, but is of the hair's colours and not of theirs, and not far below hair: the
    segmenter often takes hair on shoulders for cloth, and thin strands for what they lie on."""
    hair, neck, cloth = shares[2:]
    reach = round(STRANDS * eyes)
    near = cv2.dilate((hair > 0.7).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach // 2 + 1), np.uint8))
    far = cv2.dilate((hair > 0.3).astype(np.uint8), np.ones((reach + 1, reach + 1), np.uint8))
    sure_cloth = (cloth > 0.7) & (far == 0)
    if (hair > 0.7).sum() < LEAST_SEEN or sure_cloth.sum() < LEAST_SEEN:
        return np.zeros_like(cloth)
    index = _colours(pixels, eyes)
    likely = [_counted(index, where)[index] for where in (hair > 0.7, sure_cloth | (neck > 0.7))]
    telling = likely[0] / np.maximum(likely[0] + likely[1], 1e-9)
    return np.asarray((cloth + neck) * near * _step(telling.astype(np.float32), (0.6, 0.85)), dtype=np.float32)


def own_colours(pixels: Pixels, shares: Floats, person: Floats, eyes: float) -> Floats:
    """(H, W) in 0..1: by its colour, how surely a pixel is the person's and not the background's; 1 where nothing is
    known of that.

    Args:
        pixels: (H, W, 3).
        shares: (5, H, W) in 0..1, as `head_share` takes them.
        person: (H, W) in 0..1, as the network of persons gives it.
    """
    sure = shares.sum(axis=0)
    behind, own = (sure < 0.2) & (person < 0.1), (sure > 0.7) & (person > 0.9)
    if min(behind.sum(), own.sum()) < LEAST_SEEN:
        return np.ones_like(person)
    index = _colours(pixels, eyes)
    likely = [_counted(index, where)[index] for where in (own, behind)]
    telling = (likely[0] + RARE) / (likely[0] + likely[1] + RARE)
    return np.asarray(cv2.blur(telling.astype(np.float32), (5, 5)), dtype=np.float32)


def without_walls(shares: Floats, person: Floats, own: Floats) -> Floats:
    """`shares` (5, H, W) without what has the background's colours (`own`, see `own_colours`) and is no person (H, W)
    to the network of persons: a wall above the hair can look like a hat, foliage like hair. Hats of colours of their
    own stay."""
    doubtful = (shares.sum(axis=0) > 0.3) & (person < 0.1)
    if doubtful.sum() < LEAST_SEEN:
        return shares
    return np.asarray(shares * np.where(doubtful, _step(own, OWN), np.float32(1)), dtype=np.float32)


def surely_behind(person: Floats, own: Floats) -> Floats:
    """(H, W) in 0..1: how surely a pixel is the background's both by its colour (`own`, see `own_colours`) and to the
    network of persons (H, W): trees beside hair stay where they are, however dark."""
    return np.asarray((1 - _step(own, OWN)) * (1 - _step(person, PERSON)), dtype=np.float32)


def _colours(pixels: Pixels, eyes: float) -> NDArray[np.int64]:
    """(H, W): which of 32 x 32 x 32 cells of colour (CIELAB) each pixel is in."""
    cells = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), 0.01 * eyes + 0.5), cv2.COLOR_RGB2LAB).astype(np.int64) >> 3
    return np.asarray((cells[..., 0] * 32 + cells[..., 1]) * 32 + cells[..., 2])


def _counted(index: NDArray[np.int64], where: NDArray[np.bool_]) -> Floats:
    """(32768,): smoothed share of the pixels `where` in each cell of colour."""
    counts = np.bincount(index[where], minlength=32**3).reshape(32, 32, 32).astype(np.float32)
    for axis in range(3):
        counts = counts + (np.roll(counts, 1, axis) + np.roll(counts, -1, axis)) / 2
    return np.asarray(counts.ravel() / counts.sum())


def _spread(part: Floats, whole: Floats) -> Floats:
    """`part` / `whole`, continued to where there is little of the whole from where there is more."""
    for radius in (3, 9, 27):
        lacking = 1 - np.minimum(whole * 2, 1)
        around_part, around = (cv2.blur(values, (2 * radius + 1,) * 2) for values in (part, whole))
        part, whole = part + lacking * around_part, whole + lacking * around
    return np.asarray(part / np.maximum(whole, 1e-4), dtype=np.float32)


def _in_head(landmarks: Array) -> Affine:
    """(2, 3): from the picture to places from the middle between the eyes, x to the head's side, y down, in eye
    distances."""
    matrix = crop_matrix(fit_pose(landmarks))
    scale = float(np.hypot(matrix[0, 0], matrix[0, 1])) * eye_distance(landmarks)
    out = matrix / scale
    corners = landmarks[[33, 263], :2].mean(axis=0)
    out[:, 2] = -out[:, :2] @ corners
    return np.asarray(out)


def _places(shape: tuple[int, ...], matrix: Affine) -> tuple[Floats, Floats]:
    """x and y (H, W) of each pixel under a map."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return a * xs + b * ys + c, d * xs + e * ys + f


def _step(values: Floats, between: tuple[float, float]) -> Floats:
    """0 below the first, 1 above the second, smooth between."""
    share = np.clip((values - between[0]) / (between[1] - between[0]), 0.0, 1.0)
    return np.asarray(smoothstep(share), dtype=np.float32)


def _outline(landmarks: Array) -> NDArray[np.int32]:
    """(36, 1, 2): the face contour in 16ths of a pixel, for OpenCV."""
    return np.asarray(np.rint(landmarks[list(topology.OVAL), :2] * 16)[:, None], dtype=np.int32)


def _oval(landmarks: Array, shape: tuple[int, ...]) -> Floats:
    out = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(out, [_outline(landmarks)], 255, cv2.LINE_AA, 4)
    return out.astype(np.float32) / 255


def _below_contour(landmarks: Array, shape: tuple[int, ...], eyes: float) -> Floats:
    """(H, W): distance in eye distances from the face, counted below the ears only."""
    outside = (_oval(landmarks, shape) < 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3) / eyes
    _, down = _places(shape, _in_head(landmarks))
    return np.asarray(distance * _step(down, LOBES), dtype=np.float32)


def _held_together(share: Floats, face: Floats) -> Floats:
    """`share` without pieces that do not hang together with the face."""
    _, labels = cv2.connectedComponents((share > 0.5).astype(np.uint8), connectivity=4)
    own = np.unique(labels[face > 0.9])
    kept = np.isin(labels, own[own > 0]).astype(np.uint8)
    around = cv2.dilate(kept, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    return np.asarray(np.where(around > 0, share, np.float32(0)), dtype=np.float32)


def _to_edges(pixels: Pixels, share: Floats, eyes: float) -> Floats:
    guide = pixels.astype(np.float32) / 255
    radius = max(round(RADIUS * eyes), 2)
    soft = cv2.ximgproc.guidedFilter(guide, share, radius, SMOOTHNESS)
    steep = np.clip((soft - 0.5) * STEEP + 0.5, 0.0, 1.0)
    return np.asarray(cv2.GaussianBlur(steep.astype(np.float32), (0, 0), 0.7), dtype=np.float32)
