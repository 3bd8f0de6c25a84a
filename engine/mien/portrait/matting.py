"""A finer matte: in the rim of a rough one, how much of each pixel is the person's colour.

In the rim a pixel's colour is taken as a mixture of the nearest sure colours of person and background; where those two
are alike, the rough mask decides.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.person import fill

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

INWARDS: Final = 0.07
"""How far into the rough mask colours are not sure to be the person's, in eye distances."""
LIKELY: Final = 0.35
"""How surely a place well within the matte must be of the person."""
TELLING: Final = 30.0
"""Difference in levels between person and background at which colour and rough mask count alike."""
CUT: Final = 0.08
"""Opacity below which, and transparency below which, a pixel is all background or all person."""


def fine_matte(pixels: Pixels, person: Floats, matte: Pixels, eyes: float) -> Floats:
    """(H, W) in 0..1.

    Args:
        pixels: (H, W, 3).
        person: (H, W) in 0..1, as a segmentation gives it.
        matte: (H, W), the same with a margin: outside of it is background.
        eyes: the distance of the outer eye corners in pixels.
    """
    outside = matte == 0
    inside = _eroded((person > LIKELY) & (matte > 127), max(round(INWARDS * eyes), 1))
    if not inside.any() or not outside.any():
        return matte.astype(np.float32) / 255
    picture = pixels.astype(np.float32)
    own, behind = (fill(pixels, known).astype(np.float32) for known in (inside, outside))
    apart = own - behind
    strength = (apart * apart).sum(axis=2)
    mixed = np.clip(((picture - behind) * apart).sum(axis=2) / np.maximum(strength, 1.0), 0.0, 1.0)
    trust = strength / (strength + 3 * TELLING**2)
    rough = np.minimum(person, matte.astype(np.float32) / 255)
    alpha = trust * mixed + (1 - trust) * rough
    alpha = np.where(inside, 1.0, np.where(outside, 0.0, alpha)).astype(np.float32)
    alpha = cv2.ximgproc.guidedFilter(picture / 255, alpha, max(round(0.02 * eyes), 1), 1e-3)
    alpha = np.clip((alpha - CUT) / (1 - 2 * CUT), 0.0, 1.0)
    return np.asarray(np.where(outside, 0.0, alpha), dtype=np.float32)


def _eroded(cells: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * steps + 1, 2 * steps + 1))
    return np.asarray(cv2.erode(cells.astype(np.uint8), disc, borderValue=1) > 0)
