"""Drivers that are cut, made of the packaged one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mien import capture, samples
from mien.capture.image import resized
from mien.capture.sequence import IndexedSource
from mien.frame import Frame

Pixels = NDArray[np.uint8]
SIDE = 256
RATE = 25


def driver_frames(count: int, side: int = SIDE) -> list[Pixels]:
    """The first frames of the sample driver."""
    with capture.open(samples.driver()) as source:
        items = islice((item for item in source if isinstance(item, Frame)), count)
        return [resized(frame.pixels, side, side) for frame in items]


def close_up(picture: Pixels, zoom: float = 1.8) -> Pixels:
    """The same person from nearer by."""
    height, width = picture.shape[:2]
    high, wide = int(height / zoom), int(width / zoom)
    top, left = int((height - high) * 0.25), (width - wide) // 2
    return resized(np.ascontiguousarray(picture[top : top + high, left : left + wide]), width, height)


def far_off(picture: Pixels, share: float = 0.55) -> Pixels:
    """The same person at the left of a hall."""
    height, width = picture.shape[:2]
    out = hall(picture)
    small = resized(picture, int(width * share), int(height * share))
    out[height - small.shape[0] :, : small.shape[1]] = small
    return out


def hall(picture: Pixels) -> Pixels:
    """A place without anybody, as large as `picture`."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[:height, :width]
    shade = 90 + 60 * ((xs * 5 // width + ys * 4 // height) % 2)
    return np.asarray(np.stack([shade, shade * 0.8, shade * 0.6], axis=-1), dtype=np.uint8)


def brighter(picture: Pixels, levels: float) -> Pixels:
    return np.clip(picture.astype(np.float64) + levels, 0, 255).astype(np.uint8)


def mixed(a: Pixels, b: Pixels, share: float) -> Pixels:
    """`a` dissolved into `b` by `share`."""
    return np.rint(a * (1 - share) + b * share).astype(np.uint8)


def shown(pictures: Sequence[Pixels], rate: int = RATE) -> list[Frame]:
    return [Frame(np.ascontiguousarray(p), number, Fraction(1, rate)) for number, p in enumerate(pictures)]


def source_of(pictures: Sequence[Pixels]) -> IndexedSource:
    """A file of these pictures."""
    whole = [np.ascontiguousarray(picture) for picture in pictures]
    return IndexedSource("clip", lambda number: whole[number], range(len(whole)), rate=Fraction(RATE))
