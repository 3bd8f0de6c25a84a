"""Colours of a portrait's classes: measured ones, and those of all classes that follow from them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.face.classes import CLASSES

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

COLOURED: Final = (classes.SKIN, classes.HAIR, classes.NECK, classes.CLOTH)
"""Classes whose colours make a portrait's; the background's is free."""
LEAST: Final = 60
"""Pixels of a class below which its colour is not read."""
_USUAL: Final = {
    classes.GLASSES: (0.35, 0.32, 0.32),
    classes.LEFT_EYE: (0.37, 0.33, 0.3),
    classes.RIGHT_EYE: (0.37, 0.33, 0.3),
    classes.MOUTH: (0.45, 0.3, 0.3),
    classes.HAT: (0.25, 0.25, 0.3),
    classes.EARRING: (0.65, 0.62, 0.57),
    classes.NECKLACE: (0.65, 0.62, 0.57),
}
"""In 0..1: of classes that are small, or of which portraits tell little."""
_LIPS: Final = np.array([0.9, 0.68, 0.68], np.float32)
"""Colour of lips relative to the skin's."""


def measured(picture: Pixels, labels: Pixels) -> Floats:
    """(4, 3) in 0..1: the median colours of `COLOURED` in a portrait (H, W, 3) with its label map (H, W).

    Of what is hardly seen: hair has that of the brows, the neck that of the skin, cloth is dark.
    """
    brows = (labels == classes.LEFT_BROW) | (labels == classes.RIGHT_BROW)
    skin = _median(picture, labels == classes.SKIN, np.array([0.75, 0.58, 0.5], np.float32))
    hair = _median(picture, labels == classes.HAIR, _median(picture, brows, skin * np.float32(0.5)))
    neck = _median(picture, labels == classes.NECK, skin * np.float32(0.85))
    cloth = _median(picture, labels == classes.CLOTH, np.full(3, 0.2, np.float32))
    return np.stack([skin, hair, neck, cloth])


def _median(picture: Pixels, where: NDArray[np.bool_], otherwise: Floats) -> Floats:
    if where.sum() < LEAST:
        return otherwise
    return np.asarray(np.median(picture[where], axis=0) / 255, np.float32)


def table(colours: Floats, backdrop: Floats) -> Floats:
    """(19, 3) in 0..1: the colour of each class, for those of `COLOURED` (4, 3) and the background's (3,)."""
    skin, hair, neck, cloth = np.clip(colours, 0, 1)
    out = np.tile(skin, (len(CLASSES), 1)).astype(np.float32)
    for kind, colour in _USUAL.items():
        out[kind] = colour
    out[[classes.LEFT_BROW, classes.RIGHT_BROW]] = 0.55 * hair + 0.45 * skin * np.float32(0.7)
    out[[classes.UPPER_LIP, classes.LOWER_LIP]] = skin * _LIPS
    out[classes.BACKGROUND], out[classes.HAIR], out[classes.NECK], out[classes.CLOTH] = backdrop, hair, neck, cloth
    return out
