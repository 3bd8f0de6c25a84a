"""What lies behind a person: drawings go on in even areas, plain backgrounds as a gradient, all else in patches."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.exemplar import fill_by_patches
from mien.portrait.person import filled

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

BARE: Final = 0.01
"""Opacity below which a layer does not change what lies behind it."""
MARGIN: Final = 0.06
"""How far around the matte colours are not sure to be the background's, in eye distances."""
NEAR: Final = 0.02
"""The same of colours that are the background's elsewhere, too."""
COARSE: Final = 3
"""Bits by which colours are taken together to find the areas."""
ALIKE: Final = 1
"""Levels by which pixels of an area differ from its colour at most."""
COLOURS: Final = 6
"""Colours that a drawing has behind its person at most."""
EVEN: Final = 0.9
"""Share of the known pixels that are of one of them."""
FEW: Final = 0.005
"""Share of the known pixels below which a colour is an edge's."""
ROUNDED: Final = 0.02
"""How much edges of areas are rounded, as a share of the picture's longer side."""
PLAIN: Final = 8.0
"""Levels by which a plain background differs from its own blur, but for one pixel of twenty."""
BLUR: Final = 0.03
"""Half the side of the squares of that blur, as a share of the picture's longer side."""
GRID: Final = 64
"""Longer side of the grid on which a gradient is continued."""
ROUNDS: Final = 300
GRAIN: Final = 0.7
"""Width of the grain laid over it, in pixels."""
_CROSS: Final = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def taken_off(pixels: Pixels, whole: Floats, behind: Floats, eyes: float) -> tuple[Floats, Pixels, Bits]:
    """What a matte shows without what is surely the background's, (H, W) in 0..1; the background (H, W, 3), in-painted;
    and where it was not, (H, W).

    A drawing or a gradient is filled in beside the matte, too, where its colours are mixed with the person's. Of other
    backgrounds what is surely behind stays as it is: beside a head that moves, nothing else would go on from it.

    Args:
        pixels: (H, W, 3).
        whole: (H, W) in 0..1, the matte.
        behind: (H, W) in 0..1: how surely each pixel is the background's.
        eyes: the distance of the outer eye corners in pixels.
    """
    known = _far(whole, MARGIN * eyes)
    simple = fill_simple(pixels, known)
    if simple is not None:
        return whole, simple, known
    whole = whole * (1 - behind)
    clear = _far(whole, MARGIN * eyes) | (behind > 1 - BARE) & _far(whole, NEAR * eyes)
    return whole, fill_by_patches(pixels, clear), clear


def _far(whole: Floats, away: float) -> Bits:
    """Where there is nothing of what a matte (H, W) in 0..1 shows within so many pixels."""
    width = 2 * max(round(away), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray(cv2.dilate((whole > BARE).astype(np.uint8), disc) == 0)


def fill_simple(pixels: Pixels, known: Bits) -> Pixels | None:
    """`pixels` (H, W, 3) with what is not `known` (H, W) in-painted as a drawing or a gradient; None if it is neither,
    or all or nothing is known."""
    if known.all() or not known.any():
        return None
    drawn = fill_drawing(pixels, known)
    return fill_plain(pixels, known) if drawn is None else drawn


def fill_plain(pixels: Pixels, known: Bits) -> Pixels | None:
    """`pixels` (H, W, 3) with what is not `known` (H, W) filled by a gradient that is as even as what it meets allows,
    with the picture's grain; None if there is more to see than a gradient."""
    weight = known.astype(np.float32)
    square = (2 * max(round(BLUR * max(known.shape)), 1) + 1,) * 2
    around = np.maximum(cv2.blur(weight, square), 1e-3)
    low = cv2.blur(pixels * weight[..., None], square) / around[..., None]
    some = known[::2, ::2]
    rest = pixels[::2, ::2][some] - low[::2, ::2][some]
    if np.percentile(np.abs(rest).max(axis=1), 95) > PLAIN:
        return None
    even = _membrane(low, weight)
    rim = weight[..., None]
    even += filled((low - even) * rim, rim)
    noise = np.random.default_rng(0).standard_normal(known.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), GRAIN)
    grain = noise * np.float32(1.48 * np.median(np.abs(rest)) / max(float(noise.std()), 1e-6))
    laid = np.clip(np.rint(even + grain[..., None]), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.where(known[..., None], pixels, laid))


def _membrane(low: Floats, weight: Floats) -> Floats:
    """(H, W, 3): `low` where `weight` (H, W) is 1, and between as even as can be (Laplace's equation), on a grid."""
    height, width = weight.shape
    share = min(GRID / max(height, width), 1.0)
    size = (max(round(width * share), 2), max(round(height * share), 2))
    sure = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)[..., None]
    sums = cv2.resize(low * weight[..., None], size, interpolation=cv2.INTER_AREA)
    hole = sure < 0.5
    values = np.where(hole, filled(sums, sure), sums / np.maximum(sure, 1e-3)).astype(np.float32)
    for _ in range(ROUNDS):
        values = np.where(hole, cv2.filter2D(values, -1, _CROSS, borderType=cv2.BORDER_REPLICATE), values)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def fill_drawing(pixels: Pixels, known: Bits) -> Pixels | None:
    """`pixels` (H, W, 3) with what is not `known` (H, W) filled by areas of even colour; None if it is no drawing."""
    cells = (pixels >> COARSE).astype(np.int32)
    side = 256 >> COARSE
    codes = (cells[..., 0] * side + cells[..., 1]) * side + cells[..., 2]
    counts = np.bincount(codes[known], minlength=side**3)
    most = np.argpartition(counts, -COLOURS)[-COLOURS:]
    most = most[counts[most] > FEW * counts.sum()]
    if counts[most].sum() < EVEN * counts.sum() or len(most) < 2:
        return None
    areas = np.stack([known & (codes == code) for code in most], axis=-1)
    colours = [np.median(pixels[areas[..., i]], axis=0) for i in range(len(most))]
    for i, colour in enumerate(colours):
        areas[..., i] &= (np.abs(pixels - colour) <= ALIKE).all(axis=2)
    if areas.sum() < EVEN * known.sum():
        return None
    nearest = _nearest(areas)
    shares = np.stack([nearest == i for i in range(len(most))], axis=-1).astype(np.float32)
    shares = cv2.GaussianBlur(shares, (0, 0), ROUNDED * max(known.shape))
    laid = cv2.GaussianBlur(np.array(colours, np.float32)[shares.argmax(axis=2)], (0, 0), 0.7)
    return np.ascontiguousarray(np.where(known[..., None], pixels, np.rint(laid).astype(np.uint8)))


def _nearest(areas: Bits) -> NDArray[np.int64]:
    """(H, W): which of the areas (H, W, K) is nearest to each pixel."""
    there = areas.any(axis=2)
    _, places = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    own = np.zeros(int(places.max()) + 1, np.int64)
    own[places[there]] = areas.argmax(axis=2)[there]
    return np.asarray(own[places])
