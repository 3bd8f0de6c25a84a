"""A camera whose pictures lie in memory, so that no codec is measured."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import capture
from mien.capture.image import resized
from mien.capture.paced import Paced
from mien.capture.source import Source
from mien.capture.synthetic import array_source
from mien.clock import Clock
from mien.frame import Frame

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
RATE: Final = Fraction(25)
COUNT: Final = 100
"""Frames of the driver that are shown, forth and back, again and again."""


def pictures_of(driver: Path, count: int = COUNT, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[Pixels]:
    """The first frames of a clip, as a camera of `size` shows them: scaled to its height, cut or with grey sides."""
    with capture.open(driver) as source:
        frames = list(islice((item for item in source if isinstance(item, Frame)), count))
    return [_as_seen(frame.pixels, *size) for frame in frames]


def camera(pictures: list[Pixels], clock: Clock) -> Source:
    """The pictures in real time, without an end."""
    laps = [*pictures, *pictures[-2:0:-1]]
    return Paced(array_source(laps, rate=RATE), clock, again=lambda: array_source(laps, rate=RATE))


def _as_seen(pixels: Pixels, across: int, down: int) -> Pixels:
    height, width, _ = pixels.shape
    scaled = resized(pixels, max(round(width * down / height), 1), down)
    out = np.full((down, across, 3), 110, np.uint8)
    wide = min(scaled.shape[1], across)
    left, cut = (across - wide) // 2, (scaled.shape[1] - wide) // 2
    out[:, left : left + wide] = scaled[:, cut : cut + wide]
    return out
