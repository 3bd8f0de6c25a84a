"""Bundles of the family `spade-video` for table 3: a picture made again from its label map, in its own style."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.crop import SIDE
from mien.paint.synthesis import Synthesis, open_synthesis

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


class MadeAgain:
    """A generator that makes a picture from a label map, as the table takes it."""

    def __init__(self, name: str, synthesis: Synthesis) -> None:
        self.name = name
        self._synthesis = synthesis

    def __call__(self, picture: Pixels, landmarks: Array, labels: Pixels) -> Pixels:
        """(256, 256, 3) with the map `labels` (256, 256) in the style of `picture` (256, 256, 3), a face crop."""
        side, fine = self._synthesis.side, self._synthesis.fine_side
        crop = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        given = np.asarray(cv2.resize(labels, (fine, fine), interpolation=cv2.INTER_NEAREST), np.uint8)
        made = self._synthesis(given, self._synthesis.code(crop, given))
        return np.asarray(cv2.resize(made, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


@contextmanager
def open_made_again(model: str, threads: int) -> Iterator[MadeAgain]:
    """The generator of a bundle, by its name or folder; closed on leaving."""
    with open_synthesis(threads, model) as synthesis:
        yield MadeAgain(Path(model).name, synthesis)
