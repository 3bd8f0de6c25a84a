"""What all peers of a session are shown, in the form that encoders take: made once, and only if somebody looks."""

from __future__ import annotations

from threading import Lock
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from mien.frame import Frame

SMALLEST = 16
"""Pixels of a side that encoders take."""


class Planes:
    """Callable frame -> (H * 3 / 2, W) uint8, yuv420p in the limited range of BT.601; from any thread.

    An odd row or column is cut off.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        height, width = (side - side % 2 for side in frame.pixels.shape[:2])
        pixels = np.ascontiguousarray(frame.pixels[:height, :width, :3])
        with self._lock:
            made = self._reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(pixels, format="rgb24"),
                width=max(width, SMALLEST),
                height=max(height, SMALLEST),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU601,
                dst_color_range=ColorRange.MPEG,
            )
        return cast(NDArray[np.uint8], made.to_ndarray())


class Picture:
    """A frame as it is shown at `at` seconds of the clock."""

    def __init__(self, frame: Frame, at: float, convert: Planes) -> None:
        self.at = at
        self._frame, self._convert = frame, convert
        self._lock = Lock()
        self._planes: NDArray[np.uint8] | None = None

    @property
    def planes(self) -> NDArray[np.uint8]:
        """See `Planes`; nobody writes into it."""
        with self._lock:
            if self._planes is None:
                self._planes = self._convert(self._frame)
            return self._planes
