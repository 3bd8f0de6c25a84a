"""Composites a portrait's layers: the background, the body where it has gone, the head over both."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
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
SPECK: Final = 40
"""Levels by which opacity may stand out from its surroundings there."""
ALONE: Final = 1 << 16
"""Pixels that OpenCV converts without its threads."""
_FIRM: Final = np.rint(np.clip((np.arange(256) / 255 - FAINT) / (1 - FAINT), 0, 1) * 255).astype(np.uint8)
"""(256,): opacity by opacity, without the faintest edge."""


class LayeredCanvas:
    """A portrait's layers as they are warped, and buffers for its frames."""

    def __init__(self, portrait: Portrait, layers: Layers, background: Background) -> None:
        """Of `background` another one than the picture's own takes its place."""
        behind = layers.background if background.kind == "keep" else behind_of(portrait, background)
        self._clear = behind is None
        """Whether what lies behind stays transparent."""
        self._behind = np.zeros((*portrait.pixels.shape[:2], 4), np.uint8) if behind is None else behind
        if background.kind != "keep":
            layers = replace(layers, head=_firm(layers.head, layers.body), body=_firm(layers.body, None))
        self._head, self._body = _stacked(layers.head), _stacked(layers.body)
        corner = np.array(layers.head.corner, dtype=np.float64)
        self._wrinkles = Wrinkles(portrait, self._head, corner)
        self._features = Features(portrait, self._head, corner)
        height, width = self._behind.shape[:2]
        self._warped_body = np.empty((height, width, 4), np.uint8)
        channels = self._behind.shape[2]
        self._warped, self._inner, self._alpha, self._under = (
            np.empty((height * width, count), np.uint8) for count in (4, 3, 1, channels)
        )
        self._at_rest = self._behind.copy()
        self._swayed: BodyFlow | None = None
        """Whose body is in `warped_body`."""
        x, y = layers.body.corner
        body = self._body[-y : height - y, -x : width - x]
        self._over(self._at_rest, np.ascontiguousarray(body[..., :3]), np.ascontiguousarray(body[..., 3]), 1)

    def make_wrinkles(self) -> None:
        """See `Wrinkles.make`."""
        self._wrinkles.make()

    def draw(self, posed: Posed, painting: Painting | None, mouth: Mouth, threads: int, wrinkles: float) -> Pixels:
        """(H, W, 3 or 4): the frame, in an array of its own."""
        out = self._beneath(posed.body, threads)
        box = posed.window
        self._wrinkles(posed, wrinkles)
        warped, inner, alpha = (_cut(part, box) for part in (self._warped, self._inner, self._alpha))
        with self._features.lashes.hidden(posed.landmarks):
            ops.flow_warp(self._head, posed.flow, warped, "zero", threads)
        _split(warped, inner, alpha)
        self._features(inner, posed, painting, box, mouth, threads)
        under = _cut(self._under, box)
        np.copyto(under, out[box.area])
        self._over(under, inner, alpha[..., 0], threads)
        out[box.area] = under
        return out

    def _beneath(self, body: BodyFlow | None, threads: int) -> Pixels:
        """(H, W, 3 or 4): background and body, in an array of its own; the body is warped anew where it has moved."""
        if body is None:
            return self._at_rest.copy()
        rows = body.rows
        warped = self._warped_body[rows]
        if body is not self._swayed:
            self._swayed = body
            ops.flow_warp(self._body, body.flow, warped, threads=threads)
        out = np.empty_like(self._behind)
        for beside in (slice(0, rows.start), slice(rows.stop, len(out))):
            out[beside] = self._behind[beside]
        if self._clear:
            out[rows] = self._behind[rows]
            self._over(out[rows], np.ascontiguousarray(warped[..., :3]), warped[..., 3], threads)
        else:
            ops.blend(self._behind[rows], warped, None, out[rows], threads=threads)
        return out

    def _over(self, under: Pixels, over: Pixels, alpha: Pixels, threads: int) -> None:
        """Lay `over` (h, w, 3) with `alpha` (h, w) over `under` (h, w, 3 or 4) in place."""
        if not self._clear:
            ops.blend(under, over, alpha, under, threads=threads)
            return
        share, opacity = (table[under[..., 3], alpha] for table in _COMPOSITE)
        colours = np.ascontiguousarray(under[..., :3])
        under[..., :3] = ops.blend(colours, over, share, threads=threads)
        under[..., 3] = opacity


def _stacked(layer: Layer) -> Pixels:
    return np.asarray(cv2.merge([layer.pixels, layer.alpha]))


def _firm(layer: Layer, below: Layer | None) -> Layer:
    """A layer without its faintest edge, which is mostly noise of the old background. Over the layer `below`, as at
    rest, it stays as it is."""
    alpha = _FIRM[np.minimum(layer.alpha, cv2.add(cv2.medianBlur(layer.alpha, 5), SPECK))]
    if below is not None:
        x, y = below.corner[0] - layer.corner[0], below.corner[1] - layer.corner[1]
        height, width = alpha.shape
        rows, columns = np.arange(height) - y, np.arange(width) - x
        tall, wide = below.alpha.shape
        under = below.alpha[np.clip(rows, 0, tall - 1)[:, None], np.clip(columns, 0, wide - 1)[None]]
        alpha = np.where(under > 127, layer.alpha, alpha)
    return replace(layer, alpha=alpha)


def _cut(buffer: Pixels, box: Box) -> Pixels:
    """(h, w, C): as much of a flat buffer (N, C) as a box needs."""
    return buffer[: box.width * box.height].reshape(*box.shape, -1)


def _split(pixels: Pixels, colours: Pixels, alpha: Pixels) -> None:
    """Pixels (h, w, 4) into `colours` (h, w, 3) and `alpha` (h, w, 1).

    In pieces: OpenCV shares larger ones among threads of its own, which then spin for longer than this takes.
    """
    step = max(ALONE // pixels.shape[1], 1)
    for first in range(0, len(pixels), step):
        rows = slice(first, first + step)
        cv2.cvtColor(pixels[rows], cv2.COLOR_RGBA2RGB, dst=colours[rows])
    cv2.extractChannel(pixels, 3, dst=alpha)


def _composite_alphas() -> tuple[Pixels, Pixels]:
    """(256, 256) each, by opacity below and above: the share that the colour above has in the composite, and the
    composite's opacity (Porter and Duff, Compositing Digital Images, 1984, for colours not multiplied by opacity)."""
    below, above = np.mgrid[:256, :256].astype(np.float64) / 255
    alpha = above + below * (1 - above)
    share = above / np.maximum(alpha, 1e-9)
    return np.rint(share * 255).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8)


_COMPOSITE: Final = _composite_alphas()
