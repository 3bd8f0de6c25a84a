"""Composites a portrait's layers: the background, the body where it has gone, the head over both."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien.fuse.background import Background, behind_of
from mien.fuse.features import Features
from mien.fuse.wrinkles import Wrinkles
from mien.plane import Box
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.posed import BodyFlow, Painting, Posed
from mien_kernels import ops

Pixels = NDArray[np.uint8]


FAINT: Final = 0.2
"""Opacity up to which an edge is left out before another background."""
_FIRM: Final = np.rint(np.clip((np.arange(256) / 255 - FAINT) / (1 - FAINT), 0, 1) * 255).astype(np.uint8)
"""(256,): opacity by opacity, without the faintest edge."""


class LayeredCanvas:
    """A portrait's layers as they are warped, and buffers for its frames."""

    def __init__(self, portrait: Portrait, layers: Layers, background: Background, wrinkles: float) -> None:
        """Of `background` another one than the picture's own takes its place."""
        behind = layers.background if background.kind == "keep" else behind_of(portrait, background)
        self._clear = behind is None
        """Whether what lies behind stays transparent."""
        self._behind = np.zeros((*portrait.pixels.shape[:2], 4), np.uint8) if behind is None else behind
        kept = background.kind == "keep"
        self._head, self._body = (_stacked(layer, kept) for layer in (layers.head, layers.body))
        corner = np.array(layers.head.corner, dtype=np.float64)
        self._wrinkles = Wrinkles(portrait, self._head, corner, wrinkles)
        self._features = Features(portrait, self._head, corner)
        height, width = self._behind.shape[:2]
        self._warped_body = np.empty((height, width, 4), np.uint8)
        self._warped = np.empty(height * width * 4, np.uint8)
        self._inner = np.empty(height * width * 3, np.uint8)
        self._under = np.empty(self._behind.size, np.uint8)
        self._at_rest = self._behind.copy()
        x, y = layers.body.corner
        self._over(self._at_rest, np.ascontiguousarray(self._body[-y : height - y, -x : width - x]), 1)

    def draw(self, posed: Posed, painting: Painting | None, mouth: Mouth, threads: int) -> Pixels:
        """(H, W, 3 or 4): the frame, in an array of its own."""
        out = self._at_rest.copy() if posed.body is None else self._with_body(posed.body, threads)
        box = posed.window
        self._wrinkles(posed)
        warped, inner = _cut(self._warped, box, 4), _cut(self._inner, box, 3)
        ops.flow_warp(self._head, posed.flow, warped, "zero", threads)
        np.copyto(inner, warped[..., :3])
        self._features(inner, posed, painting, box, mouth, threads)
        np.copyto(warped[..., :3], inner)
        under = _cut(self._under, box, out.shape[2])
        np.copyto(under, out[box.area])
        self._over(under, warped, threads)
        out[box.area] = under
        return out

    def _with_body(self, body: BodyFlow, threads: int) -> Pixels:
        out, rows = self._behind.copy(), body.rows
        warped = self._warped_body[rows]
        ops.flow_warp(self._body, body.flow, warped, threads=threads)
        self._over(out[rows], warped, threads)
        return out

    def _over(self, under: Pixels, over: Pixels, threads: int) -> None:
        """Lay `over` (h, w, 4) over `under` (h, w, 3 or 4) in place."""
        if not self._clear:
            ops.blend(under, over, None, under, threads=threads)
            return
        opacity = over[..., 3]
        below = under[..., 3]
        share, alpha = (table[below, opacity] for table in _COMPOSITE)
        ops.blend(under, over, share, under, threads=threads)
        under[..., 3] = alpha


def _stacked(layer: Layer, kept: bool) -> Pixels:
    """(h, w, 4). Before another background the faintest edge, which is mostly the old background's noise, is left
    out."""
    alpha = layer.alpha if kept else _FIRM[layer.alpha]
    return np.ascontiguousarray(np.dstack([layer.pixels, alpha]))


def _cut(buffer: Pixels, box: Box, channels: int) -> Pixels:
    """(h, w, channels): as much of a flat buffer as a box needs."""
    return buffer[: box.width * box.height * channels].reshape(*box.shape, channels)


def _composite_alphas() -> tuple[Pixels, Pixels]:
    """(256, 256) each, by opacity below and above: the share that the colour above has in the composite, and the
    composite's opacity (Porter and Duff, Compositing Digital Images, 1984, for colours not multiplied by opacity)."""
    below, above = np.mgrid[:256, :256].astype(np.float64) / 255
    alpha = above + below * (1 - above)
    share = above / np.maximum(alpha, 1e-9)
    return np.rint(share * 255).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8)


_COMPOSITE: Final = _composite_alphas()
