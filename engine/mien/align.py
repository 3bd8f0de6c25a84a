"""Bringing pictures to the size and place in which they are prepared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.face.procrustes import Similarity
from mien_kernels import ops

Pixels = NDArray[np.uint8]


def sized(pixels: Pixels, size: int | None, largest: int) -> Pixels:
    """`pixels` (H, W, 3) with a longer side of `size`; without a wish, as it is but not larger than `largest`."""
    height, width = pixels.shape[:2]
    wanted = size or min(max(height, width), largest)
    share = wanted / max(height, width)
    return resized(pixels, max(round(width * share), 2), max(round(height * share), 2))


def even(pixels: Pixels) -> Pixels:
    """`pixels` (H, W, 3) without the last row or column where there is an odd number, for video's halved colours."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(pixels[: height - height % 2, : width - width % 2])


def aligned(pixels: Pixels, pose: Similarity, to: Similarity, size: tuple[int, int]) -> Pixels:
    """`pixels` (H, W, 3) shifted and scaled so that a head posed `pose` stands where and as large as one posed `to`.

    The result has `size` (width, height); what lies beyond the picture repeats its border.
    """
    width, height = size
    scale = pose.scale / to.scale
    xs = (np.arange(width) - to.translation[0]) * scale + pose.translation[0]
    ys = (np.arange(height) - to.translation[1]) * scale + pose.translation[1]
    flow = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    return ops.flow_warp(pixels, flow)


def fitted(pixels: Pixels, middle: tuple[float, float], size: tuple[int, int]) -> Pixels:
    """`pixels` (H, W, 3) scaled to cover `size` (width, height), and cut to it with `middle` (x, y) kept in the middle
    as far as the picture reaches.
    """
    height, width = pixels.shape[:2]
    share = max(size[0] / width, size[1] / height)
    whole = resized(pixels, max(round(width * share), size[0]), max(round(height * share), size[1]))
    left = _begin(middle[0] * share, size[0], whole.shape[1])
    top = _begin(middle[1] * share, size[1], whole.shape[0])
    return np.ascontiguousarray(whole[top : top + size[1], left : left + size[0]])


def _begin(middle: float, wanted: int, there: int) -> int:
    return min(max(round(middle - wanted / 2), 0), there - wanted)
