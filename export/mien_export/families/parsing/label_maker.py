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

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint8]

UNKNOWN: Final = 255
"""Label of pixels from which nothing is to be learnt."""
SMALLEST_EAR: Final = 0.006
"""Area of an ear in squared units."""
GLASSES_BRIDGE, GLASSES_RING = 11.0, 0.10
"""Lightness step over the bridge, and dark share of the lower ring, above either of which glasses may be worn. Of 120
portraits looked at, all but a few with thin metal rims are above; so are some with eye bags or dark brows."""
DARK: Final = 14.0
"""Lightness (OpenCV's 8-bit Lab) below its surroundings from which on a line may be a rim."""
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
    zone = _glasses_zone(cv2.bilateralFilter(lightness, 5, 12, 3), frame)
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


def _glasses_zone(lightness: Floats, frame: FaceFrame) -> Bits | None:
    """(H, W): where rims may be in the lightness (H, W) of an 8-bit Lab picture; None where surely none are worn."""
    side = max(int(0.11 * frame.unit) | 1, 5)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    darker = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, disc) - lightness
    zone = _zone(frame) & ~_eyes_and_brows(frame)
    lower = zone & (frame.v > 0.12)
    ring = float((darker[lower] > DARK).mean()) if lower.any() else 0.0
    return zone if ring > GLASSES_RING or _step_over_bridge(lightness, frame) > GLASSES_BRIDGE else None


def _zone(frame: FaceFrame) -> Bits:
    """Where rims can be: boxes around the eyes, and the bridge of the nose."""
    zone = (np.abs(frame.u) < 0.2) & (frame.v > -0.16) & (frame.v < 0.12)
    for eye in topology.EYES:
        corners = frame.points[list(eye)]
        width = float(np.hypot(*(corners[0] - corners[8])))
        away = corners.mean(axis=0) - frame.origin
        u = (frame.u * frame.unit - away @ frame.right) / width
        v = (frame.v * frame.unit - away @ frame.down) / width
        zone |= (np.abs(u) < 1.15) & (v > -0.75) & (v < 0.95)
    return np.asarray(zone)


def _eyes_and_brows(frame: FaceFrame) -> Bits:
    grow = max(1, int(0.035 * frame.unit))
    out = np.logical_or.reduce([frame.part(eye, grow) for eye in topology.EYES])
    return np.asarray(out | frame.part(topology.LEFT_BROW, 1) | frame.part(topology.RIGHT_BROW, 1))


def _step_over_bridge(lightness: Floats, frame: FaceFrame) -> float:
    """The steepest step of lightness down the nose between the eyes, median over lines beside each other."""
    inner_left, inner_right = frame.points[topology.LEFT_EYE[8]], frame.points[topology.RIGHT_EYE[8]]
    along: Array = inner_left + np.linspace(0.25, 0.75, 16)[:, None] * (inner_right - inner_left)
    steps = np.arange(-0.16, 0.13, 0.01) * frame.unit
    at = (along[None] + steps[:, None, None] * frame.down).astype(np.float32)
    profile: NDArray[np.float32] = cv2.remap(lightness, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return float(np.median(np.abs(np.diff(profile, axis=0)).max(axis=0)))
