"""Whole frames of a video in a style, steady in time.

The network draws each frame by itself; then the previous answer, moved by the optical flow of the photographs, is
mixed in where the flow can be trusted: where flow and backward flow agree and the photographs do, too (Sundaram et al.,
"Dense point trajectories by GPU-accelerated large displacement optical flow", 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.plane import Affine
from mien.style.styler import BORDER, Styler
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

KEPT: Final = 0.7
"""Weight of the previous answer where the flow is sure."""
SEEN: Final = 256
"""Longer side in pixels in which flow is sought."""
AGREE, AGREE_SHARE = 0.5, 0.05
"""Pixels, and share of the way, by which flow there and back may differ."""
ALIKE: Final = 0.1
"""Difference in brightness, 0..1, up to which two places of the photographs are the same."""


class FrameStyler:
    """Callable for one video: a frame (H, W, 3) -> the frame in the style, in an array of its own."""

    def __init__(self, styler: Styler, mix: Floats, strength: float, threads: int = 1) -> None:
        """`mix` (K,): the share of each style; `strength`: how much of the answer is style, 0..1."""
        self._styler, self._mix, self._strength, self._threads = styler, mix, strength, threads
        self._flow = DenseFlow()
        self._before: tuple[Floats, Pixels] | None = None
        """The latest frame's brightness, and its answer."""

    def __call__(self, pixels: Pixels, faces: Sequence[Array] = ()) -> Pixels:
        """Frames of one size follow each other; another size begins anew. `faces` are outlines (N, 2) of those that are
        to stay readable."""
        into = into_canvas(pixels, self._styler.room)
        drawn, _ = self._styler.whole(pixels, into, self._mix, self._strength, faces=faces)
        return self.steadied(pixels, drawn)

    def steadied(self, pixels: Pixels, drawn: Pixels) -> Pixels:
        """The next frame, which is `drawn` already, with the answer before mixed in: the same array, written to."""
        bright = _brightness(pixels)
        if self._before is not None and self._before[1].shape == pixels.shape:
            then, answer = self._before
            flow, sure = self._flow(bright, then)
            height, width = pixels.shape[:2]
            flow *= np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
            ops.temporal_blend(drawn, answer, flow, drawn, KEPT, 1e9, weight=sure, threads=self._threads)
        self._before = bright, drawn
        return drawn


def into_canvas(pixels: Pixels, room: int) -> Affine:
    """(2, 3): from a picture to the middle of the network's canvas, not enlarged."""
    height, width = pixels.shape[:2]
    scale = min(room / max(width, height), 1.0)
    middle = BORDER + room / 2 - scale * np.array([width, height]) / 2
    return np.array([[scale, 0, middle[0] + (scale - 1) / 2], [0, scale, middle[1] + (scale - 1) / 2]])


class DenseFlow:
    """Optical flow from one picture back to an earlier one, and how sure it is."""

    def __init__(self) -> None:
        self._method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __call__(self, now: Floats, then: Floats) -> tuple[Floats, Floats]:
        """Places (h, w, 2) in `then` of the pixels of `now`, and weights (h, w) in 0..1.

        `now`, `then`: brightness (h, w) in 0..1.
        """
        one, two = ((picture * 255).astype(np.uint8) for picture in (now, then))
        back, forth = self._method.calc(one, two, None), self._method.calc(two, one, None)
        places = back + _grid(*now.shape)
        returned = cv2.remap(forth, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        error = np.hypot(*np.moveaxis(returned + back, -1, 0))
        way = np.hypot(*np.moveaxis(back, -1, 0))
        seen = cv2.remap(then, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sure = (error < AGREE + AGREE_SHARE * way) & (np.abs(now - seen) < ALIKE)
        return places, np.asarray(cv2.blur(sure.astype(np.float32), (3, 3)), dtype=np.float32)


def _brightness(pixels: Pixels) -> Floats:
    """(h, w) in 0..1, at most `SEEN` pixels along each side."""
    height, width = pixels.shape[:2]
    share = min(SEEN / max(width, height), 1.0)
    size = max(round(width * share), 16), max(round(height * share), 16)
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), dtype=np.float32)


def _grid(height: int, width: int) -> Floats:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x, y], axis=-1)
