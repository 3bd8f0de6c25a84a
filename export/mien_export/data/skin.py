"""Skin in photographs: its tones, and its motion with the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM, lip_gaps
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.reenact.flow import Flow, window_of
from mien.reenact.mesh import mesh_of
from mien.reenact.target import Target
from mien.sums import LUMA as SHARES
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

GAMMA: Final = 2.2
LUMA: Final = np.array(SHARES)
CHEEKS: Final = (50, 101, 36, 205, 187, 280, 330, 266, 425, 411)
BRIGHT_TEETH: Final = 0.55
"""Linear luma relative to the cheeks from which on bright, pale pixels between the lips are taken for teeth."""
WHITE_LIMITS: Final = (0.75, 2.2)
"""Bounds of a tooth's luma relative to the cheeks'."""


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Colours (3,) of a photograph in linear light, 0..1."""

    skin: Array
    lips: Array
    white: Array
    """A tooth in full light."""
    grain: float
    """Standard deviation of the picture's noise, in grey levels of 0..255."""


def to_linear(pixels: Array | Pixels | Floats) -> Array:
    """Values 0..255 in linear light, 0..1."""
    return np.asarray((np.asarray(pixels, dtype=np.float64) / 255) ** GAMMA)


def to_display(linear: Floats) -> Floats:
    """Linear light as values 0..255."""
    return np.asarray(255 * np.clip(linear, 0.0, 1.0) ** np.float32(1 / GAMMA), dtype=np.float32)


def tones_of(picture: Pixels, landmarks: Array) -> Tones:
    """The tones of a portrait (H, W, 3) with landmarks (478, 2 or 3) in pixels."""
    skin = to_linear(np.median(_at(picture, landmarks[list(CHEEKS), :2]), axis=0))
    rims = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
    lips = to_linear(np.median(_at(picture, landmarks[rims[0], :2] * 0.4 + landmarks[rims[1], :2] * 0.6), axis=0))
    return Tones(skin, lips, _white(picture, landmarks, skin), _grain(picture, landmarks))


def mask_in(box: Box, outline: Array) -> Floats:
    """(h, w) in 0..1: what of a box's pixels lies inside of an outline (N, 2) in pixels of the picture."""
    corner = box.corner
    return outline_mask(outline - corner, box.shape)


def _white(picture: Pixels, landmarks: Array, skin: Array) -> Array:
    """Teeth, where the mouth shows some; else the white of the eyes, a little warmer."""
    luma = float(skin @ LUMA)
    found = _inside(picture, landmarks[list(topology.INNER_LIPS), :2])
    pale = found[found @ LUMA > BRIGHT_TEETH * luma] if len(found) else found
    if len(pale) > 25:
        white = np.percentile(pale, 80, axis=0)
    else:
        eyes = np.concatenate([_inside(picture, landmarks[list(eye), :2]) for eye in topology.EYES])
        bright = eyes[eyes @ LUMA >= np.percentile(eyes @ LUMA, 75)] if len(eyes) else skin[None]
        white = bright.mean(axis=0) * [1.12, 1.05, 0.92]
    white = white * 0.7 + 0.3 * (white @ LUMA)  # rims of lips and lids tint what lies between
    return np.asarray(white * np.clip(white @ LUMA, *np.multiply(WHITE_LIMITS, luma)) / max(white @ LUMA, 1e-6))


def _grain(picture: Pixels, landmarks: Array) -> float:
    """From second differences across the cheeks' middles, whose median magnitude is robust against edges."""
    box = Box.around(landmarks[[50, 280, 205, 425], :2], 0, picture.shape[1], picture.shape[0])
    if box is None:
        return 1.0
    grey = picture[box.area].astype(np.float64) @ LUMA
    second = grey[1:-1, 1:-1] * 4 - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(np.clip(np.median(np.abs(second)) / 0.6745 / np.sqrt(20), 0.3, 6.0)) if second.size else 1.0


def _at(picture: Pixels, points: Array) -> Array:
    x, y = np.rint(points).astype(np.int64).T
    height, width = picture.shape[:2]
    return np.asarray(picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], dtype=np.float64)


def _inside(picture: Pixels, outline: Array) -> Array:
    """(n, 3): linear colours well inside of an outline (N, 2)."""
    box = Box.around(outline, 1, picture.shape[1], picture.shape[0])
    if box is None:
        return np.zeros((0, 3))
    return to_linear(picture[box.area][mask_in(box, outline) > 0.98])


CORNERS: Final = (topology.INNER_LIPS[0], topology.INNER_LIPS[10])
SHOWS_TEETH: Final = 0.06
"""Gap in eye distances from which on teeth are seen along the rims."""


def moved_skin(portrait: Portrait, target: Target, lip_skin: float = 0.0) -> Pixels:
    """(H, W, 3): `portrait` at the target's landmarks.

    `lip_skin`: how far beyond its rim, in mouth widths, a lip's skin is looked up where the lips stand apart: at the
    rim the picture shows teeth.
    """
    mesh = mesh_of(portrait)
    source = mesh.texture(target)
    shown = np.clip(lip_gaps(portrait.shape) / SHOWS_TEETH, 0.0, 1.0)[:, None]
    across = portrait.landmarks[CORNERS[1], :2] - portrait.landmarks[CORNERS[0], :2]
    down = lip_skin * np.array([-across[1], across[0]])
    source[UPPER_LIP_RIM] -= (shown * down).astype(np.float32)
    source[LOWER_LIP_RIM] += (shown * down).astype(np.float32)
    window = window_of(portrait, mesh)
    corner = window.corner.astype(np.float32)
    vertices = mesh.place(portrait, target)
    vertices[:, :2] -= corner
    flow = Flow(window, mesh, 1)(vertices, source - corner)
    area = window.area
    person = np.ascontiguousarray(portrait.pixels[area])
    inner = ops.flow_warp(person, flow, np.empty_like(person))
    Eyes(person, portrait.landmarks[:, :2] - window.corner)(target.landmarks[:, :2] - window.corner, inner)
    out = portrait.pixels.copy()
    out[area] = inner
    return out
