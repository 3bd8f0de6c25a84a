"""Skin of the neck: which of what the segmenter calls neck is of the face's colour, and not collar, veil or hair."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.person import fill

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

SURE: Final = 0.8
"""How surely a pixel is of the face to take the skin's colour from."""
LIKELY: Final = 0.5
"""Share of the classes of a person from which a pixel may be of the neck."""
CHROMA: Final = (12.0, 14.0)
"""Least and largest distance of colours in the a-b plane of CIELAB, in levels, up to which they are one skin's."""
SPREAD: Final = 2.5
"""The same in median distances of the face's own colours."""
LIGHT: Final = (0.45, 1.1)
"""Lightness of a lit neck as a share of the face's."""
DARKEST: Final = 0.2
"""The same of one in shadow, whose colours are as much weaker as they are darker."""
SHARE: Final = 0.05
"""Share of what is called neck below which the skin that is found in it is not enough to continue the neck by."""
DIM: Final = 0.8
"""Lightness of a neck of which nothing is seen, as a share of the face's."""
SPECK: Final = 0.02
"""Half the width, in eye distances, up to which a piece of skin is a speck of cloth of its colour."""
LEAST: Final = 60
"""Pixels of the neck that must be seen to continue it."""


def neck_skin(pixels: Pixels, shares: Floats, eyes: float) -> Bits:
    """(H, W): the neck where it is bare.

    Args:
        pixels: (H, W, 3).
        shares: (5, H, W) in 0..1, of the groups of classes of `mien.portrait.separating`.
        eyes: the distance of the outer eye corners in pixels.
    """
    face = shares[0] > SURE
    neck = shares[3] > LIKELY * shares.sum(axis=0)
    if face.sum() < LEAST:
        return np.asarray(neck)
    light, lit, shaded = _beside(pixels, face)
    most = float(np.clip(SPREAD * np.median(lit[face]), *CHROMA))
    as_skin = (light > LIGHT[0]) & (lit < most) | (light > DARKEST) & (shaded < most / 2)
    bare = neck & (light < LIGHT[1]) & as_skin
    width = 2 * max(round(SPECK * eyes), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray(cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0)


def _beside(pixels: Pixels, face: Bits) -> tuple[Floats, Floats, Floats]:
    """(H, W) each: lightness as a share of the median of `face` (H, W), distance from its median colour, and distance
    from that colour in a shadow that is so dark."""
    lab = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.float32)
    middle = np.median(lab[face], axis=0)
    light = lab[..., 0] / np.maximum(middle[0], 1)
    own, skin = lab[..., 1:] - 128, middle[1:] - 128
    lit, shaded = (np.linalg.norm(own - colour, axis=2) for colour in (skin, skin * np.minimum(light, 1)[..., None]))
    return light, lit, shaded


def hidden_skin(pixels: Pixels, known: Bits, skin: Bits, shares: Floats) -> Pixels | None:
    """(H, W, 3): colours of the neck where it is hidden: those of its `skin` (H, W), continued smoothly; where hardly
    any is seen, of what is called neck and no lighter than the face; or the face's, dimmed. None: none is seen.

    Args:
        known: (H, W): surely the body's colours.
    """
    face, neck = shares[0] > SURE, known & (shares[3] > LIKELY * shares.sum(axis=0))
    if (known & skin).sum() >= max(LEAST, SHARE * neck.sum()):
        return fill(pixels, known & skin)
    if face.sum() < LEAST:
        return fill(pixels, neck) if neck.sum() >= LEAST else None
    dim = neck & (_beside(pixels, face)[0] < DIM)
    if dim.sum() >= LEAST:
        return fill(pixels, dim)
    return np.broadcast_to(np.median(pixels[face], axis=0) * DIM, pixels.shape).astype(np.uint8)
