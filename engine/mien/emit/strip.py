"""Measuring mode: copies the time code strip from the driver's picture into the output.

The portrait replaces the driver's picture, so a time code in it would be lost otherwise. Off unless latency is
measured; nothing else of the driver's picture is copied.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.emit.sink import Wrapping
from mien.frame import Frame

SHARE = 15
"""The strip is the topmost fifteenth of a picture, over its whole width."""


def rows_of(height: int) -> int:
    """Rows of the strip in a picture of so many rows, at least one."""
    return max(round(height / SHARE), 1)


def carry(captured: NDArray[np.uint8], emitted: NDArray[np.uint8]) -> None:
    """Show the strip of `captured` (H, W, 3 or 4) uint8 in `emitted` (h, w, 3 or 4), in place, whatever their sizes.

    Scaled by taking the nearest pixel; an alpha becomes opaque.
    """
    rows, columns = _nearest(captured.shape[:2], emitted.shape[:2])
    top = emitted[: len(rows)]
    top[:, :, :3] = captured[rows, columns, :3]
    top[:, :, 3:] = 255


class Carried(Wrapping):
    """A sink that shows the strip of the captured frame in what goes into another one, on a copy."""

    def write(self, frame: Frame) -> None:
        if frame.answers is not None:
            pixels = frame.pixels.copy()
            carry(frame.answers.pixels, pixels)
            frame = replace(frame, pixels=pixels)
        self._inner.write(frame)


@lru_cache(maxsize=8)
def _nearest(captured: tuple[int, int], emitted: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Source rows (n, 1) and columns (1, w) of the captured strip for the emitted one."""
    rows = _centres(rows_of(captured[0]), rows_of(emitted[0]))
    return rows[:, None], _centres(captured[1], emitted[1])[None]


def _centres(source: int, target: int) -> NDArray[np.intp]:
    return ((np.arange(target) + 0.5) * source / target).astype(np.intp)
