"""Which pixels of a layer are of its inner class: hair of the head's, the bare neck of the body's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import BackendError, ModelError
from mien.morphing.fields import spread
from mien.parsing.opening import open_segmenter
from mien.portrait.portrait import Layer, Portrait
from mien.portrait.separating import CLOTH, FEATURES, HAIR, NECK, SKIN
from mien.portrait.working import Working

Bits = NDArray[np.bool_]
Floats = NDArray[np.float32]
OPAQUE = 127


def inner_classes(portrait: Portrait, head: Layer, body: Layer) -> tuple[Bits, Bits]:
    """(h, w) each, in pixels of the layers `head` and `body`: where there is hair, and where a bare neck.

    What the layers hide, and what surrounds them, is of the class of the nearest place that is seen.
    """
    face, hair, neck, cloth = _shares(portrait)
    seen_head = seen(head, portrait.size)
    seen_body = (seen(body, portrait.size) > OPAQUE) & (seen_head < 255 - OPAQUE)
    is_head = seen_head > OPAQUE
    in_head = spread(hair > face, is_head & (hair + face > 0.5))
    in_body = spread(neck + face > cloth, seen_body & (neck + cloth + face > 0.5))
    return _in_layer(in_head, head), _in_layer(in_body, body)


def _shares(portrait: Portrait) -> tuple[Floats, Floats, Floats, Floats]:
    """(H, W) each: how surely a pixel is of the face, hair, neck and cloth; the segmenter's, as layers were made by."""
    working = Working.of(portrait.pixels)
    small = working.shrunk(portrait.pixels)
    try:
        with open_segmenter(1) as (segmenter, _):
            groups = ((*SKIN, *FEATURES), HAIR, NECK, CLOTH)
            shares = segmenter.group_shares(small, working.points(portrait.landmarks), groups)
    except (ModelError, BackendError):
        face = np.ones(portrait.pixels.shape[:2], np.float32)
        none = np.zeros_like(face)
        return face, none, none, none
    whole = [cv2.resize(share, portrait.size, interpolation=cv2.INTER_LINEAR) for share in shares]
    return whole[0], whole[1], whole[2], whole[3]


def seen(layer: Layer, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W): a layer's opacity in the picture."""
    width, height = size
    x, y = layer.corner
    out = np.zeros((height, width), np.uint8)
    part = layer.alpha[max(-y, 0) : height - y, max(-x, 0) : width - x]
    out[max(y, 0) :, max(x, 0) :][: part.shape[0], : part.shape[1]] = part
    return out


def _in_layer(cells: Bits, layer: Layer) -> Bits:
    """(h, w): what a picture's cells (H, W) are at the layer's pixels, beyond the border as at it."""
    (x, y), (height, width) = layer.corner, layer.alpha.shape
    rows = np.clip(np.arange(height) + y, 0, cells.shape[0] - 1)
    columns = np.clip(np.arange(width) + x, 0, cells.shape[1] - 1)
    return np.asarray(cells[rows[:, None], columns[None]])
