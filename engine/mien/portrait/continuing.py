"""Colours of a layer beyond the picture's border."""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.beyond import Room
from mien.portrait.person import fill
from mien.portrait.portrait import Layer

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

APEX: Final = 1.4
"""How far below the border the lines of a collar meet, in eye distances."""
THICK: Final = 0.04
"""Height of the strip at the border from which colours are taken, in eye distances."""
SPREADS: Final = 0.6
"""How soft what is continued is, per distance from the border: soon enough that it shows no rays."""


def continued(
    pixels: Pixels,
    alpha: Pixels,
    sure: Bits,
    opacity: Floats,
    room: Room,
    unit: float,
    neckline: float | None = None,
    share: float = 1.0,
) -> Layer:
    """A layer with what is `sure` (H, W) of it continued into the room that `opacity` takes beyond the picture.

    Upwards and downwards it is mirrored at the border, where a mirror shows what is sure, and filled smoothly
    elsewhere; the filling is made at this `share` of the resolution. To the sides its colours go on evenly: mirrored,
    an ear or a hand would be seen twice. So they do below a body that the picture's lower border cuts close below the
    neck, on lines that run together below this column (`neckline`) as those of a collar do; repeated, it would be
    stripes.

    Args:
        unit: an eye distance in pixels.
    """
    if room == Room():
        return Layer(pixels, alpha, room.corner)
    height = len(sure)
    known = room.mirrored(sure.astype(np.uint8)) > 0
    if neckline is not None:
        known[room.top + height :] = False
    beside = room.repeated(sure.astype(np.uint8)) > 0
    canvas = np.asarray(cv2.copyTo(room.mirrored(pixels), known.view(np.uint8), room.repeated(pixels)), dtype=np.uint8)
    canvas = fill(canvas, known | beside, share)
    if neckline is not None:
        canvas[room.top + height :] = _run_together(canvas[: room.top + height], room, neckline, unit)
    if room.left:
        canvas[:, : room.left] = _run_out(canvas[:, room.left :], room.left, unit)[:, ::-1]
    if room.right:
        canvas[:, -room.right :] = _run_out(canvas[:, : -room.right][:, ::-1], room.right, unit)
    covers = _bytes(opacity * 255)
    room.put(pixels, canvas)
    room.put(alpha, covers)
    return Layer(canvas, covers, room.corner)


def _run_together(above: Pixels, room: Room, neckline: float, unit: float) -> Pixels:
    """(bottom, W, 3): what is below the last rows of `above` (h, W, 3), on lines towards one point, the softer the
    farther below."""
    middle = np.float32(neckline + room.left)
    down = np.arange(1, room.bottom + 1, dtype=np.float32)[:, None]
    across = np.arange(above.shape[1], dtype=np.float32)[None]
    return _on_lines(above[::-1], middle + (across - middle) / (1 - down / np.float32(APEX * unit)), unit)


def _run_out(beside: Pixels, room: int, unit: float) -> Pixels:
    """(H, room, 3): what is beside the first columns of `beside` (H, w, 3), outwards, the softer the farther."""
    places = np.broadcast_to(np.arange(len(beside), dtype=np.float32), (room, len(beside)))
    return np.asarray(_on_lines(beside.transpose(1, 0, 2), places, unit).transpose(1, 0, 2))


def _on_lines(inwards: Pixels, places: Floats, unit: float) -> Pixels:
    """(n, W, 3): n rows outwards from `inwards` (h, W, 3), each pixel of the border's colours at a column (n, W), the
    softer the farther out."""
    strip = inwards[: max(round(THICK * unit), 1)].astype(np.float32).mean(axis=0, keepdims=True)
    octaves = np.log2(np.maximum(SPREADS * np.arange(1, len(places) + 1, dtype=np.float32), 1))[:, None]
    lines = np.concatenate([_softened(strip, 2.0**octave) for octave in range(math.ceil(octaves[-1, 0]) + 1)])
    levels = np.ascontiguousarray(np.broadcast_to(octaves, places.shape))
    places = np.ascontiguousarray(places)
    return _bytes(cv2.remap(lines, places, levels, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _softened(line: Floats, width: float) -> Floats:
    """A line (1, W, 3) blurred along itself."""
    return np.asarray(cv2.GaussianBlur(line, (2 * round(3 * width) + 1, 1), width, borderType=cv2.BORDER_REPLICATE))


def _bytes(values: NDArray[Any]) -> Pixels:
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
