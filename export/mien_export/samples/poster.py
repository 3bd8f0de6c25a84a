"""The README's picture: moments of the sample driver above what it makes of the sample portraits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mien import capture, prepare, samples
from mien.api import animate
from mien.capture.image import resized
from mien.emit.mark import Mark
from mien_export.samples.album import Picture

MOMENTS = (0, 71, 88, 105, 134, 160)
"""Frames of the driver: at rest, a blink, a word, turned, speaking, smiling."""
PORTRAITS = ("mira", "aldo", "avatar")
Pixels = NDArray[np.uint8]
CELL = 240
"""Pixels of a cell's side."""


def draw_poster(moments: Sequence[int] = MOMENTS) -> Picture:
    """(rows * CELL, columns * CELL, 3) in 0..1: the driver's row, then one for each portrait."""
    rows: list[list[Pixels]] = []
    for name in PORTRAITS:
        with capture.open(samples.driver()) as source:
            frames = list(islice(animate(prepare(samples.portraits()[name], size=512), source), max(moments) + 1))
        chosen = [frames[i] for i in moments]
        if not rows:
            rows.append([frame.answers.pixels for frame in chosen if frame.answers is not None])
        rows.append([frame.pixels for frame in chosen])
    pixels = np.vstack([np.hstack([resized(cell, CELL, CELL) for cell in row]) for row in rows])
    Mark(pixels.shape[1], pixels.shape[0]).apply(pixels)
    return pixels.astype(np.float32) / 255
