"""What the network says of a crop, and how it is brought back to the picture's pixels.

A look gives logits at the nodes of a grid over a crop; between four neighbours they are interpolated. Where a class is
the largest at all four, it is so everywhere between them, so that labels are interpolated only in the other cells,
which are those along the edges of classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.crop import SIDE
from mien.plane import coarser
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

EDGE: Final = 24.0
"""Pixels of the crop over which a look gives way to the one before it."""
UNSURE: Final = 255
"""In place of a class: the nodes around differ."""
CHUNK: Final = 1 << 16
"""Pixels that are interpolated at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Logits on a grid over a crop."""

    matrix: Array
    """(2, 3): from pixels of the picture to positions of the grid."""
    logits: Floats
    """(S, S, C)."""
    cells: Pixels
    """(S - 1, S - 1): the class that is the largest at all four nodes of a cell, or `UNSURE`."""

    @classmethod
    def of(cls, planes: Floats, crop: Array) -> Look:
        """From logits (C, S, S), which are copied, and the map (2, 3) from the picture to the crop."""
        count, side, _ = planes.shape
        rows = planes.reshape(count, -1)
        nodes = largest(rows).reshape(side, side)
        return cls(coarser(crop, SIDE // side), cv2.transpose(rows).reshape(side, side, count), _agreed(nodes))

    @property
    def edge(self) -> float:
        """`EDGE` in cells."""
        return EDGE * len(self.logits) / SIDE


def largest(rows: Floats) -> Pixels:
    """(N,): which of rows (C, N) is the largest, the first of equal ones."""
    best, out = rows[0].copy(), np.zeros(rows.shape[1], np.uint8)
    for number in range(1, len(rows)):
        np.copyto(out, number, where=rows[number] > best)
        np.maximum(best, rows[number], out=best)
    return out


def labels_of(looks: Sequence[Look], shape: tuple[int, int]) -> Pixels:
    """(H, W): the class of each pixel; each later look over those before it, where it sees anything."""
    labels = _known(looks, shape)
    flat = labels.reshape(-1)
    unsure = np.flatnonzero(flat == UNSURE)
    for first in range(0, len(unsure), CHUNK):
        some = unsure[first : first + CHUNK]
        y, x = (part.astype(np.float32)[None] for part in np.divmod(some, shape[1]))
        flat[some] = logits_at(looks, x, y)[0].argmax(axis=1)
    return labels


def logits_at(looks: Sequence[Look], x: Floats, y: Floats, threads: int = 1) -> Floats:
    """(h, w, C): the logits at pixels of the picture, at columns `x` and rows `y`, both (h, w)."""
    out: Floats | None = None
    for look in looks:
        flow = _mapped(x, y, look.matrix)
        seen = ops.flow_warp(look.logits, flow, threads=threads)
        if out is None:
            out = seen
        else:
            out += (seen - out) * _weight(flow, look)[..., None]
    assert out is not None
    return out


def _agreed(nodes: Pixels) -> Pixels:
    top, bottom = nodes[:-1], nodes[1:]
    across = (top[:, :-1] == top[:, 1:]) & (bottom[:, :-1] == bottom[:, 1:])
    return np.where(across & (top[:, :-1] == bottom[:, :-1]), top[:, :-1], np.uint8(UNSURE))


def _known(looks: Sequence[Look], shape: tuple[int, int]) -> Pixels:
    """(H, W): the class of each pixel, or `UNSURE` where it is not known without interpolation."""
    labels: Pixels | None = None
    for look in looks:
        seen = _nearest(look.cells, look.matrix - [[0, 0, 0.5], [0, 0, 0.5]], shape, cv2.BORDER_REPLICATE)
        if labels is None:
            labels = seen
            continue
        zones = _nearest(_zones(len(look.logits), look.edge), look.matrix, shape, cv2.BORDER_CONSTANT)
        labels[(zones == _BETWEEN) & (labels != seen)] = UNSURE
        np.copyto(labels, seen, where=zones == _WITHIN)
    assert labels is not None
    return labels


_BETWEEN, _WITHIN = 1, 2


@cache
def _zones(side: int, edge: float) -> Pixels:
    """(S, S): whether a look alone counts at a node and half a cell around it; outside of the grid it does not."""
    steps = np.arange(side)
    inside = np.minimum(steps, side - 1 - steps)
    return np.where(np.minimum(inside[:, None], inside[None]) >= edge + 1, np.uint8(_WITHIN), np.uint8(_BETWEEN))


def _nearest(source: Pixels, matrix: Array, shape: tuple[int, int], border: int) -> Pixels:
    """(H, W): `source` (h, w) at the nearest of its pixels to where `matrix` leads."""
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(source, matrix, shape[::-1], flags=flags, borderMode=border), np.uint8)


def _mapped(x: Floats, y: Floats, matrix: Array) -> Floats:
    """(h, w, 2): where pixels of the picture lie in a grid."""
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


def _weight(flow: Floats, look: Look) -> Floats:
    """(h, w) in 0..1: 1 well within the grid, 0 outside."""
    inside = np.minimum(flow, np.float32(len(look.logits) - 1) - flow).min(axis=2)
    return np.asarray(np.clip(inside / np.float32(look.edge), 0.0, 1.0))
