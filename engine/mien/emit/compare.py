"""Driver and output side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from mien.emit.ending import Ending, is_closed
from mien.emit.sink import Sink, SinkSettings
from mien.frame import Frame
from mien.sound.sound import Sound


def beside_settings(settings: SinkSettings, driver: tuple[int, int]) -> SinkSettings:
    """The settings of the sink that takes the joined pictures.

    Args:
        driver: (width, height) of the driver's frames.
    """
    return replace(settings, width=_driver_width(driver, settings.height) + settings.width)


class CompareSink(Ending):
    """Puts the frame that each frame answers on its left, at equal height, and hands both on as one picture."""

    def __init__(self, inner: Sink, settings: SinkSettings, driver: tuple[int, int], *, keeps: bool = False) -> None:
        """Prepare the picture that both go into.

        Args:
            settings: of the frames that come; `inner` was opened with `beside_settings` of them.
            keeps: `inner` holds on to its frames, so each needs an array of its own.
        """
        self._inner = inner
        self._split = _driver_width(driver, settings.height)
        self._shape = settings.height, self._split + settings.width, 3
        self._keeps = keeps
        self._joined = np.zeros(self._shape, np.uint8)
        self._reformatter = VideoReformatter()

    @property
    def closed(self) -> bool:
        return is_closed(self._inner)

    def write(self, frame: Frame) -> None:
        """Join and hand on; a frame that answers none has black on its left."""
        if self._keeps:
            self._joined = np.zeros(self._shape, np.uint8)
        left, right = self._joined[:, : self._split], self._joined[:, self._split :]
        left[...] = 0 if frame.answers is None else self._scaled(frame.answers.pixels[:, :, :3])
        right[...] = frame.pixels[:, :, :3]
        self._inner.write(replace(frame, pixels=self._joined, layout="rgb24"))

    def write_sound(self, sound: Sound) -> None:
        self._inner.write_sound(sound)

    def finish(self) -> None:
        self._inner.finish()

    def discard(self) -> None:
        self._inner.discard()

    def _scaled(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height = self._shape[0]
        method = Interpolation.AREA if height < pixels.shape[0] else Interpolation.BICUBIC
        picture = VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgb24")
        scaled = self._reformatter.reformat(
            picture, width=self._split, height=height, interpolation=method, threads=1
        ).to_ndarray()
        return np.asarray(scaled, np.uint8)


def _driver_width(driver: tuple[int, int], height: int) -> int:
    """Width of the driver at a height, even, so that the seam falls between two pixels of a subsampled colour."""
    width, own_height = driver
    return max(2, 2 * round(width * height / own_height / 2))
