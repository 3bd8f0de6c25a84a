"""The label maker: 15 of the 19 classes of a portrait from its landmarks, a person matte and its own colours.

Nothing is downloaded and no human labelled anything. Networks learn from these labels, and all that is measured
against them is measured against this code.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mien.face import classes, topology
from mien_export.families.parsing import coarse
from mien_export.families.parsing.face_frame import Array, Bits, FaceFrame, Floats
from mien_export.families.parsing.glasses import glasses_zone

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint8]

UNKNOWN: Final = 255
"""Label of pixels from which nothing is to be learnt."""
SMALLEST_EAR: Final = 0.006
"""Area of an ear in squared units."""
_COARSE: Final = np.array([classes.BACKGROUND, classes.SKIN, classes.HAIR, classes.NECK, classes.CLOTH], np.uint8)
_PARTS: Final = (
    (topology.NOSE, classes.NOSE),
    (topology.NOSE_BRIDGE, classes.NOSE),
    (topology.LEFT_BROW, classes.LEFT_BROW),
    (topology.RIGHT_BROW, classes.RIGHT_BROW),
    (topology.UPPER_LIP, classes.UPPER_LIP),
    (topology.LOWER_LIP, classes.LOWER_LIP),
    (topology.INNER_LIPS, classes.MOUTH),
)
"""Outlines with their classes, in the order in which they are painted."""


def make_labels(picture: Pixels, landmarks: Array, matte: Floats) -> Labels:
    """(H, W): the id of each pixel's class, or `UNKNOWN` around the eyes where glasses may be worn.

    Rims of glasses are not found well enough to be labelled. Hats, earrings and necklaces are not found either; a hat
    is mostly labelled hair.

    Args:
        picture: (H, W, 3) RGB; parameters are for heads of about 150 to 200 pixels.
        landmarks: (478, 2 or 3) in pixels.
        matte: (H, W) in 0..1, how surely each pixel is of the person.
    """
    frame = FaceFrame.of(landmarks, (picture.shape[0], picture.shape[1]))
    rough = coarse.coarse_labels(picture, frame, matte)
    out = _COARSE[rough]
    out[(rough == coarse.NECK) & (frame.outside <= 0)] = classes.SKIN
    out[(rough == coarse.SKIN) & (frame.outside > 0.015) & (frame.v > 0.62)] = classes.NECK
    _put_ears(out, rough, frame)
    for outline, kind in _PARTS:
        out[frame.part(outline)] = kind
    lightness = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    zone = glasses_zone(cv2.bilateralFilter(lightness, 5, 12, 3), frame)
    if zone is not None:
        out[zone] = UNKNOWN
    out[frame.part(topology.LEFT_EYE)] = classes.LEFT_EYE
    out[frame.part(topology.RIGHT_EYE)] = classes.RIGHT_EYE
    return out


def _put_ears(out: Labels, rough: NDArray[np.int64], frame: FaceFrame) -> None:
    """Skin beside the face is an ear: on each side the largest piece, where it is large enough."""
    zone = (frame.outside > 0.012) & (frame.outside < 0.30) & (frame.v > -0.30) & (frame.v < 0.62)
    beside = zone & ((rough == coarse.SKIN) | ((rough == coarse.NECK) & (frame.v < 0.5)))
    for side, kind in ((frame.u < 0, classes.LEFT_EAR), (frame.u >= 0, classes.RIGHT_EAR)):
        own = beside & side
        out[own] = classes.SKIN
        ear = _largest(own)
        if ear.sum() > SMALLEST_EAR * frame.unit**2:
            out[ear] = kind


def _largest(mask: Bits) -> Bits:
    """The largest piece of `mask`, opened by a pixel."""
    pieces, count = ndimage.label(mask)
    if not count:
        return np.zeros_like(mask)
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    return np.asarray(ndimage.binary_opening(pieces == largest))
