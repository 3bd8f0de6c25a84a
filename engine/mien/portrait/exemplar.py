"""In-painting by patches: what is unknown is put together from pieces of what is known.

Space-time completion of Wexler, Shechtman and Irani (PAMI 2007) for one picture: coarse to fine, each patch that
touches the hole finds its nearest known patch, then all of them vote for the hole's pixels. The pieces are laid at the
picture's own resolution. What they differ by from the picture at the hole's rim is taken off smoothly all over the
hole, so that a gradient of light goes on evenly.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.person import fill, filled

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Cells = NDArray[np.int64]
"""(N, 2): rows and columns."""

SIZES: Final = (32, 64, 112)
"""Longer sides of the pyramid's levels."""
SEARCHED: Final = 2
"""Levels on which all known patches are compared; on the others the neighbourhood of what the coarser one found is."""
VOTES: Final = (3, 2, 2)
HALF: Final = 2
"""A patch reaches so many cells to each side."""
RIM: Final = 1.5
"""Cells around a hole in which what would be laid there is compared with what is there."""
TOGETHER: Final = 1 << 14
"""Pixels that are laid together: their arrays stay in the processor's cache, and take no memory to speak of."""
COHERENT: Final = 0.7
"""Factor on the distance of a patch that lies beside what a neighbour shows: large pieces have fewer seams."""
AROUND: Final = [(y, x) for y in range(-HALF, HALF + 1) for x in range(-HALF, HALF + 1)]


def fill_by_patches(pixels: Pixels, known: Bits, wanted: Bits | None = None) -> Pixels:
    """`pixels` (H, W, 3) with what is not `known` (H, W) in-painted: by patches where `wanted`, smoothly elsewhere."""
    smooth = fill(pixels, known)
    hole = ~known if wanted is None else ~known & wanted
    if not hole.any():
        return smooth
    offsets, share = _offsets(smooth, known, hole)
    if offsets is None:
        return smooth
    rim = 2 * max(round(RIM / share), 1) + 1
    near = cv2.dilate(hole.astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    laid, there = _laid(pixels, known, hole | (known & near), offsets, share)
    return _evened(smooth, laid, there & hole, there & known)


def _offsets(smooth: Pixels, known: Bits, hole: Bits) -> tuple[NDArray[np.int64] | None, float]:
    """(h, w, 2): for each cell of the finest level how many rows and columns away what it shows is; and that level's
    cells per pixel. None: too little is known."""
    found: NDArray[np.int64] | None = None
    share = before = 1.0
    for level, size in enumerate(SIZES):
        share = min(size / max(hole.shape), 1.0)
        picture, sure, open_ = _level(smooth, known, hole, share)
        source = cv2.erode(sure.astype(np.uint8), np.ones((2 * HALF + 1,) * 2, np.uint8), borderValue=0) > 0
        near = cv2.dilate(open_.astype(np.uint8), np.ones((2 * HALF + 1,) * 2, np.uint8)) > 0
        if source.sum() < 30:
            if found is None:
                continue
            return found, before
        where = np.argwhere(near)
        if found is None:
            start, picture = None, _peeled(picture, open_, source)
        else:
            start = _finer(found, near.shape)
            picture = _voted(picture, open_, near, start)
        for _ in range(VOTES[level]):
            if level < SEARCHED or start is None:
                start = _nearest(picture, where, source)
            else:
                start = _refined(picture, where, source, start)
            picture = _voted(picture, open_, near, start)
        found, before = start, share
    return found, before


def _level(smooth: Pixels, known: Bits, hole: Bits, share: float) -> tuple[Floats, Bits, Bits]:
    size = (max(round(hole.shape[1] * share), 1), max(round(hole.shape[0] * share), 1))
    picture = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    sure = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.999
    open_ = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.001
    return picture, sure, open_


def _peeled(picture: Floats, open_: Bits, source: Bits) -> Floats:
    """`picture` with its hole filled from the rim inwards, cell by cell, by the known patch that fits best to what is
    there already: a beginning that keeps edges, which a smooth one does not."""
    picture, left = picture.copy(), open_.copy()
    places = np.argwhere(source)
    known = _patches(picture, places)
    squares = known * known
    colours = picture[places[:, 0], places[:, 1]]
    while left.any():
        rim = np.argwhere(left & (cv2.erode(left.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0))
        if not len(rim):
            break
        sure = _patches(np.repeat((~left).astype(np.float32)[..., None], 3, axis=2), rim)
        apart = sure @ squares.T - 2 * (sure * _patches(picture, rim)) @ known.T
        picture[rim[:, 0], rim[:, 1]] = colours[apart.argmin(axis=1)]
        left[rim[:, 0], rim[:, 1]] = False
    return picture


def _patches(picture: Floats, where: Cells) -> Floats:
    """(N, 75): the patches around cells."""
    wide = cv2.copyMakeBorder(picture, HALF, HALF, HALF, HALF, cv2.BORDER_REFLECT_101)
    rows, columns = where[:, 0] + HALF, where[:, 1] + HALF
    return np.concatenate([wide[rows + y, columns + x] for y, x in AROUND], axis=1)


def _nearest(picture: Floats, where: Cells, source: Bits) -> NDArray[np.int64]:
    """(h, w, 2): offsets of the cells `where` to the most alike patch of `source`."""
    places = np.argwhere(source)
    matches = cv2.BFMatcher(cv2.NORM_L2).match(_patches(picture, where), _patches(picture, places))
    best = np.array([match.trainIdx for match in matches])
    out = np.zeros((*source.shape, 2), np.int64)
    out[where[:, 0], where[:, 1]] = places[best] - where
    return out


def _refined(picture: Floats, where: Cells, source: Bits, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """`offsets` (h, w, 2) with each moved to the best of its surroundings and of its neighbours' offsets."""
    own = _patches(picture, where)
    best = np.full(len(where), np.inf, np.float32)
    out = offsets.copy()
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    last = np.array(source.shape) - 1
    given = [(offsets[where[:, 0], where[:, 1]] + np.array(step), 1.0) for step in steps]
    for step in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        beside = np.clip(where + np.array(step), 0, last)
        given.append((offsets[beside[:, 0], beside[:, 1]], COHERENT))
    for offset, favour in given:
        place = where + offset
        inside = ((place >= 0) & (place <= last)).all(axis=1)
        place = np.clip(place, 0, last)
        inside &= source[place[:, 0], place[:, 1]]
        apart = np.square(_patches(picture, place) - own).sum(axis=1) * np.float32(favour)
        better = inside & (apart < best)
        best[better] = apart[better]
        out[where[better, 0], where[better, 1]] = offset[better]
    return out


def _voted(picture: Floats, open_: Bits, near: Bits, offsets: NDArray[np.int64]) -> Floats:
    """`picture` with each cell of the hole as the mean of what the patches around it say."""
    where = np.argwhere(open_)
    last = np.array(open_.shape) - 1
    total, count = np.zeros((len(where), 3), np.float32), np.zeros((len(where), 1), np.float32)
    for step in AROUND:
        centre = where + np.array(step)
        inside = ((centre >= 0) & (centre <= last)).all(axis=1)
        centre = np.clip(centre, 0, last)
        votes = (inside & near[centre[:, 0], centre[:, 1]]).astype(np.float32)[:, None]
        place = np.clip(where + offsets[centre[:, 0], centre[:, 1]], 0, last)
        total += votes * picture[place[:, 0], place[:, 1]]
        count += votes
    out = picture.copy()
    out[where[:, 0], where[:, 1]] = total / np.maximum(count, 1)
    return out


def _finer(offsets: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Offsets (h, w, 2) on a finer grid of this shape (rows, columns)."""
    rows = np.minimum(np.arange(shape[0]) * offsets.shape[0] // shape[0], offsets.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) * offsets.shape[1] // shape[1], offsets.shape[1] - 1)
    times = np.array([shape[0] / offsets.shape[0], shape[1] / offsets.shape[1]])
    return np.asarray(np.rint(offsets[rows[:, None], columns[None]] * times), dtype=np.int64)


def _laid(pixels: Pixels, known: Bits, hole: Bits, offsets: NDArray[np.int64], share: float) -> tuple[Floats, Bits]:
    """(H, W, 3): the known pixels that offsets of a coarse grid point to, mixed between its cells; and where any do."""
    laid, there = np.zeros((*hole.shape, 3), np.float32), np.zeros(hole.shape, np.bool_)
    places = np.argwhere(hole)
    for first in range(0, len(places), TOGETHER):
        where = places[first : first + TOGETHER]
        total, count = _laid_at(where, pixels, known, offsets, share)
        laid[where[:, 0], where[:, 1]] = total / np.maximum(count, 1e-6)[:, None]
        there[where[:, 0], where[:, 1]] = count > 1e-3
    return laid, there


def _laid_at(
    where: Cells, pixels: Pixels, known: Bits, offsets: NDArray[np.int64], share: float
) -> tuple[Floats, Floats]:
    """Sums (N, 3) of weighted colours and of weights (N,), for the pixels `where` (N, 2)."""
    last, ends = np.array(known.shape) - 1, np.array(offsets.shape[:2]) - 1
    place = (where + 0.5) * (np.array(offsets.shape[:2]) / np.array(known.shape)) - 0.5
    low = np.floor(place).astype(np.int64)
    part = (place - low).astype(np.float32)
    total, count = np.zeros((len(where), 3), np.float32), np.zeros(len(where), np.float32)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        cell = np.clip(low + (y, x), 0, ends)
        away = np.rint(offsets[cell[:, 0], cell[:, 1]] / share).astype(np.int64)
        source = np.clip(where + away, 0, last)
        weight = (part[:, 0] if y else 1 - part[:, 0]) * (part[:, 1] if x else 1 - part[:, 1])
        weight = weight * (known[source[:, 0], source[:, 1]] & ((away[:, 0] != 0) | (away[:, 1] != 0)))
        total += weight[:, None] * pixels[source[:, 0], source[:, 1]]
        count += weight
    return total, count


def _evened(pixels: Pixels, laid: Floats, there: Bits, rim: Bits) -> Pixels:
    """`laid` where `there`, without the difference to `pixels` that it has on the `rim` around, continued smoothly."""
    weight = rim.astype(np.float32)[..., None]
    apart = filled((pixels.astype(np.float32) - laid) * weight, weight)
    even = np.clip(np.rint(laid + apart), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.where(there[..., None], even, pixels))
