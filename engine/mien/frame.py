"""A video frame: pixels with time stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Layout = Literal["rgb24", "rgba"]
CHANNELS: dict[Layout, int] = {"rgb24": 3, "rgba": 4}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture with its place in time.

    `time_base` stays from capture to the sink; so does `pts`, except in live runs, which repair it (`mien.timeline`).
    """

    pixels: NDArray[np.uint8]
    """(H, W, 3) or, as `rgba`, (H, W, 4) with straight alpha; uint8, sRGB as decoded, C-contiguous."""
    pts: int
    """Presentation time in units of `time_base`."""
    time_base: Fraction
    """Seconds per unit of `pts`."""
    captured_at: float = 0.0
    """When the frame entered the program, in monotonic seconds of the pipeline's clock."""
    duration: int | None = None
    """How long the frame is shown, in units of `time_base`; None where the source does not say."""
    layout: Layout = "rgb24"
    answers: Frame | None = None
    """For an emitted frame the captured frame that it answers."""

    def __post_init__(self) -> None:
        channels = CHANNELS[self.layout]
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != channels:
            raise ValueError(
                f"pixels of a {self.layout} frame must be (H, W, {channels}) uint8, "
                f"got {self.pixels.shape} {self.pixels.dtype}"
            )

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def answer(self, pixels: NDArray[np.uint8], layout: Layout = "rgb24") -> Frame:
        """The emitted frame that shows `pixels` at this frame's time."""
        return replace(self, pixels=pixels, layout=layout, answers=self)
