"""A made portrait at the size of a photograph: enlarged, sharpened, with strands of hair and the grain of skin.

What the network does not give at its own size is drawn: noise smeared along the direction that hair has in the picture
(line integral convolution, Cabral and Leedom, 1993), and fine noise on skin and cloth.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SHARPEN: Final = 0.55
"""Share of the high frequencies that is added per doubling of the size."""
MOST_SHARPEN: Final = 0.9
STRANDS: Final = 9.0
"""Standard deviation of the light of strands, in levels, at a side of 512."""
STEPS: Final = 10
"""Of a strand to each side, in pixels."""
GRAIN: Final = 1.6
"""Standard deviation of fine noise, in levels."""


def enlarged(picture: Pixels, labels: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """(size, size, 3) of a picture (S, S, 3), with its label map (2 S, 2 S)."""
    larger = size / len(picture)
    if larger <= 1:
        return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))
    wide = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    gain = min(SHARPEN * math.log2(larger), MOST_SHARPEN)
    soft = cv2.GaussianBlur(wide, (0, 0), 0.45 * larger)
    wide += gain * (wide - soft)
    hair = _share(labels == classes.HAIR, size)
    grey = cv2.cvtColor(np.clip(wide, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    lines = strands(grey, rng)
    light = 0.4 + 0.6 * grey.astype(np.float32) / 255
    wide += (hair * lines * light * np.float32(STRANDS))[..., None]
    grain = rng.standard_normal((size, size), dtype=np.float32)
    wide += ((1 - hair) * cv2.GaussianBlur(grain, (0, 0), 0.7) * np.float32(2 * GRAIN))[..., None]
    return np.asarray(np.clip(wide + 0.5, 0, 255), np.uint8)


def _share(where: NDArray[np.bool_], size: int) -> Floats:
    """(size, size) in 0..1: a region of a map, with a soft edge."""
    share = cv2.resize(where.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(share, (0, 0), size / 170), np.float32)


def strands(grey: Pixels, rng: np.random.Generator) -> Floats:
    """(S, S): noise of standard deviation 1, smeared along what a picture (S, S) shows as lines."""
    side = len(grey)
    reach = side / 64
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), reach / 4)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    xx, xy, yy = (cv2.GaussianBlur(part, (0, 0), reach) for part in (across * across, across * down, down * down))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    flow = np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)
    noise = cv2.GaussianBlur(rng.standard_normal((side, side), dtype=np.float32), (0, 0), 0.7)
    total = noise.copy()
    step = np.float32(side / 512)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    for way in (step, -step):
        at = np.stack([x, y], axis=-1)
        heading = way * flow
        for _ in range(STEPS):
            at = at + heading
            total += cv2.remap(noise, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            ahead = cv2.remap(flow, at[..., 0], at[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            same = np.sign((ahead * heading).sum(axis=-1, keepdims=True))  # a direction has no sign
            heading = np.where(same == 0, heading, same * step * ahead).astype(np.float32)
    total -= cv2.GaussianBlur(total, (0, 0), reach / 2)
    return np.asarray(total / max(float(total.std()), 1e-6), np.float32)
