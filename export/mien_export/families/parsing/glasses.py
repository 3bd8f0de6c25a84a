"""Whether glasses may be worn: dark lines around the eyes, or a sharp one over the nose."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien_export.families.parsing.face_frame import Array, Bits, FaceFrame, Floats

BRIDGE, RING = 11.0, 0.10
"""Lightness step over the bridge, and dark share of the lower ring, above either of which glasses may be worn. Of 120
portraits looked at, all but a few with thin metal rims are above; so are some with eye bags or dark brows."""
DARK: Final = 14.0
"""Lightness (OpenCV's 8-bit Lab) below its surroundings from which on a line may be a rim."""


def glasses_zone(lightness: Floats, frame: FaceFrame) -> Bits | None:
    """(H, W): where rims may be in the lightness (H, W) of an 8-bit Lab picture; None where surely none are worn."""
    side = max(int(0.11 * frame.unit) | 1, 5)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    darker = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, disc) - lightness
    zone = _zone(frame) & ~_eyes_and_brows(frame)
    lower = zone & (frame.v > 0.12)
    ring = float((darker[lower] > DARK).mean()) if lower.any() else 0.0
    return zone if ring > RING or _step_over_bridge(lightness, frame) > BRIDGE else None


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
