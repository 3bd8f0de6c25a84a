"""Marking of outputs as synthetic: the visible mark, the invisible one, and the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.emit import lettering
from mien.emit.sink import Sink, Wrapping
from mien.frame import Frame
from mien.marking.pattern import levels_of
from mien.marking.payload import Payload
from mien.provenance import own_version
from mien_kernels import ops

TEXT = "synthetic"
_SHARE = 0.026
"""Letter height as a share of the shorter side."""
_SMALLEST = 6.0
_PADDING = 0.55
"""Around the lettering and between plate and border, in letter heights."""
_WIDEST = 0.9
_PLATE = 0.5
_INK = 0.95
"""Opacities of the dark plate and of the white lettering on it."""


class Mark:
    """The mark for one size of picture, drawn once and then blended into a corner of every frame."""

    def __init__(self, width: int, height: int) -> None:
        """`width`, `height`: of the pictures in pixels."""
        opacity, ink = _drawn(width, height)
        rows, columns = opacity.shape
        margin = round(_PADDING * _letter_height(width, height) / 2)
        top, left = max(0, height - rows - margin), max(0, width - columns - margin)
        self.size = width, height
        self.corner = slice(top, top + rows), slice(left, left + columns)
        """Rows and columns that the mark covers."""
        # out = (pixel * keep + add) / 256: white ink over a black plate over the picture
        plate = opacity * _PLATE * (1 - ink * _INK)
        keep = 1 - plate - ink * _INK
        self._keep = np.round(keep * 256).astype(np.uint16)[:, :, None]
        self._add = np.floor(ink * _INK * 255 * 256 + 128 - 1).clip(0).astype(np.uint16)[:, :, None]
        self._sum = np.empty((rows, columns, 3), np.uint16)

    def apply(self, pixels: NDArray[np.uint8]) -> None:
        """Blend the mark into (height, width, 3 or 4) uint8 pixels, in place; an alpha is raised to the mark's own."""
        corner = pixels[self.corner]
        colour = corner[:, :, :3]
        np.multiply(colour, self._keep, out=self._sum, dtype=np.uint16)
        np.add(self._sum, self._add, out=self._sum)
        np.right_shift(self._sum, 8, out=self._sum)
        colour[...] = self._sum
        if pixels.shape[2] == 4:
            corner[:, :, 3] = np.maximum(corner[:, :, 3], 255 - (self._keep[:, :, 0].clip(0, 255)))


class Marked(Wrapping):
    """Sink wrapper that draws the marks.

    They are drawn on a copy; the frame's array is not changed. The copy is reused for every frame unless `keeps`, for
    an inner sink that keeps references to its frames.
    """

    def __init__(
        self, inner: Sink, *, visible: bool = True, payload: Payload | None = None, keeps: bool = False
    ) -> None:
        """
        Args:
            visible: whether the lettering is drawn.
            payload: of the invisible mark; None: there is none.
        """
        super().__init__(inner)
        self._visible, self._payload, self._keeps = visible, payload, keeps
        self._mark: Mark | None = None
        self._levels: NDArray[np.uint8] | None = None
        self._copy: NDArray[np.uint8] | None = None

    def write(self, frame: Frame) -> None:
        if self._mark is None or self._mark.size != frame.size:
            self._mark = Mark(*frame.size)
            self._levels = None if self._payload is None else levels_of(self._payload, *frame.size)
        pixels = self._copied(frame.pixels)
        if self._visible:
            self._mark.apply(pixels)
        self._inner.write(replace(frame, pixels=pixels))

    def _copied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy with the invisible mark, which costs no pass of its own."""
        if self._keeps or self._copy is None or self._copy.shape != pixels.shape:
            self._copy = np.empty(pixels.shape, np.uint8)
        if self._levels is None:
            np.copyto(self._copy, pixels)
        else:
            ops.add_levels(np.ascontiguousarray(pixels), self._levels, self._copy)
        return self._copy


def _letter_height(width: int, height: int) -> float:
    wanted = max(_SMALLEST, _SHARE * min(width, height))
    widest = _WIDEST * width / (lettering.width_of(TEXT) + 2 * _PADDING)
    tallest = _WIDEST * height / (1 + lettering.DESCENT + 2 * _PADDING)
    return min(wanted, widest, tallest)


def _drawn(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coverage of the plate and of the ink, each (rows, columns) float32 in 0..1, no larger than the picture."""
    size = _letter_height(width, height)
    columns = min(width, int(np.ceil((lettering.width_of(TEXT) + 2 * _PADDING) * size)))
    rows = min(height, int(np.ceil((1 + lettering.DESCENT + 2 * _PADDING) * size)))
    base = (1 + _PADDING) * size
    return _plate(rows, columns), lettering.coverage(TEXT, size, columns, rows, _PADDING * size, base)


def _plate(rows: int, columns: int) -> NDArray[np.float32]:
    """A rounded rectangle."""
    radius = min(rows, columns) / 3
    y, x = np.mgrid[:rows, :columns].astype(np.float32) + 0.5
    dx = np.maximum(radius - np.minimum(x, columns - x), 0)
    dy = np.maximum(radius - np.minimum(y, rows - y), 0)
    inside: NDArray[np.float32] = np.clip(radius + 0.5 - np.hypot(dx, dy), 0, 1).astype(np.float32)
    return inside


def credit() -> str:
    """The one line that marks an output as synthetic."""
    return f"synthetic media, made with mien {own_version()}"


def tags(record: Mapping[str, str]) -> dict[str, str]:
    """Container metadata: the credit, and the provenance record, flat, in fields that every container knows.

    Args:
        record: a sink's `metadata`; its entries are also kept one by one where the container allows any name.
    """
    flat = "; ".join(f"{key}={value}" for key, value in record.items())
    return {**record, "comment": credit(), "description": f"{credit()}; {flat}" if flat else credit()}
