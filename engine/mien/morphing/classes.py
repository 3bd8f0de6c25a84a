"""Which pixels of a layer are of its inner class: hair of the head's, the bare neck of the body's."""

from __future__ import annotations

from typing import Final

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
OPAQUE: Final = 127
LEAST: Final = 60
"""Pixels from which a class has colours of its own."""
EVEN: Final = 0.03
"""Half the side of the squares over which colours are compared, in eye distances."""


def inner_classes(portrait: Portrait, head: Layer, body: Layer) -> tuple[Bits, Bits]:
    """(h, w) each, in pixels of the layers `head` and `body`: where there is hair, and where a bare neck.

    What the layers hide of the body is of the class whose colours it has. All else that is not seen is of the class of
    the nearest place that is.
    """
    face, hair, neck, cloth = _shares(portrait)
    seen_head, seen_body = seen(head, portrait.size), seen(body, portrait.size)
    in_head = spread(hair > face, (seen_head > OPAQUE) & (hair + face > 0.5))
    sure = (seen_body > OPAQUE) & (seen_head < 255 - OPAQUE) & (neck + cloth + face > 0.5)
    is_neck = _in_layer(neck + face > cloth, body)
    return _in_layer(in_head, head), _with_hidden(is_neck, _in_layer(sure, body), body, portrait.pose.scale)


def _with_hidden(inner: Bits, sure: Bits, layer: Layer, eyes: float) -> Bits:
    """(h, w): `inner` (h, w) where it is `sure` (h, w), elsewhere by the colours that the layer was filled with."""
    opaque = layer.alpha > OPAQUE
    tones = [np.array(cv2.mean(layer.pixels, cells.view(np.uint8))[:3]) for cells in (sure & inner, sure & ~inner)]
    if min((sure & inner).sum(), (sure & ~inner).sum()) < LEAST:
        return spread(inner, sure)
    soft = cv2.blur(layer.pixels, (2 * round(EVEN * eyes) + 1,) * 2).astype(np.float32)
    own, other = (((soft - tone.astype(np.float32)) ** 2).sum(axis=2) for tone in tones)
    return spread(np.where(sure, inner, own < other), opaque)


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
