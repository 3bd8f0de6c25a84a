"""Blends one layer of two portraits: each warped to the common shape, outlines, classes and colours between.

Where both ends show the layer, and the same class of it, colours are cross-faded. Where only one does, as where long
hair meets short, its colours are taken alone, shifted to the tone between both. So hair is never seen through a
forehead, nor an ear through hair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.morphing.fields import REACH, covered, distance_field, outline_between
from mien.plane import Box
from mien.portrait.portrait import Layer
from mien_kernels import ops

Array = NDArray[np.float64]
Bits = NDArray[np.bool_]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FADE: Final = 0.12
"""Distance inside an outline, in eye distances, over which an end comes to count where the other end goes on."""
CLASS_EDGE: Final = 0.05
"""Half the width of the soft border between two classes, in eye distances."""
LEAST: Final = 1e-3
"""How much an end counts where it does not have the layer or the class, relative to where it has."""
RARE: Final = 0.02
"""Share of a layer below which a class has no tone of its own."""
CLASSES: Final = (False, True)
"""Outside of the inner class, and in it."""


@dataclass(frozen=True, slots=True, eq=False)
class EndLayer:
    """A layer of one end, as it is warped."""

    stacked: Pixels
    """(h, w, 4)."""
    fields: Floats
    """(h / cell, w / cell, 2): distance fields of the layer and of its inner class."""
    cell: int
    """Pixels in one place of the fields, along each side."""
    tones: Array
    """(2, 3): mean colours of `CLASSES`; of all of the layer where one of them is rare."""
    corner: tuple[int, int]
    """As `Layer.corner`."""

    @classmethod
    def of(cls, layer: Layer, inner: Bits, eyes: float, cell: int) -> EndLayer:
        """`inner` (h, w): where it is of its inner class, known everywhere; `eyes`: an eye distance in pixels."""
        stacked = np.asarray(cv2.merge([layer.pixels, layer.alpha]))
        opaque = layer.alpha > 127
        size = coarse(opaque.shape, cell)
        fields = [
            cv2.resize(distance_field(cells, eyes), size, interpolation=cv2.INTER_AREA) for cells in (opaque, inner)
        ]
        tones = [_tone(layer.pixels, opaque & (inner == which), opaque) for which in CLASSES]
        return cls(stacked, np.ascontiguousarray(np.dstack(fields)), cell, np.array(tones), layer.corner)


def _tone(pixels: Pixels, cells: Bits, everywhere: Bits) -> Array:
    chosen = cells if cells.sum() > RARE * everywhere.sum() else everywhere
    return np.array(cv2.mean(pixels, chosen.astype(np.uint8))[:3])


@dataclass(frozen=True, slots=True, eq=False)
class WarpedLayer:
    """A layer of one end in the common shape. Its fields are coarse: they are smooth."""

    colours: Pixels
    """(h, w, 3)."""
    alpha: Pixels
    """(h, w)."""
    outline: Floats
    """(h / cell, w / cell): distance field of the layer; `inner` likewise of its inner class."""
    inner: Floats
    tones: Array

    @classmethod
    def of(cls, layer: EndLayer, flow: Floats) -> WarpedLayer:
        """`flow` (h, w, 2): where to look, in pixels of the layer."""
        seen = ops.flow_warp(layer.stacked, flow, padding="zero")
        places = cv2.resize(flow, coarse(flow.shape, layer.cell), interpolation=cv2.INTER_AREA)
        places *= np.float32(1 / layer.cell)
        places += np.float32(0.5 / layer.cell - 0.5)
        outline, inner = cv2.split(ops.flow_warp(layer.fields, places, padding="border"))
        return cls(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.extractChannel(seen, 3), outline, inner, layer.tones)

    def presence(self) -> Floats:
        """(h / cell, w / cell) above 0: how surely it has the layer."""
        return _ramp(self.outline, True)

    def counts(self) -> Floats:
        """(h / cell, w / cell) above 0: how much its colours count."""
        opaque = cv2.resize(self.alpha, self.outline.shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(self.presence() * opaque + np.float32(LEAST**2))


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """How two warped layers are mixed; coarse, as their fields."""

    share: Floats
    """(h / cell, w / cell) in 0..1: of the first end's colours."""
    shift: NDArray[np.int16]
    """(h / cell, w / cell, 3): levels that are added to the mixed colours."""
    inner: Floats
    """(h / cell, w / cell) in 0..1: whether it is of the inner class."""

    @classmethod
    def of(cls, first: WarpedLayer, second: WarpedLayer, degree: float) -> Mixture:
        """At `degree`."""
        shares = np.float32(1 - degree), np.float32(degree)
        there = shares[0] * first.presence(), shares[1] * second.presence()
        common = np.asarray(there[0] * first.inner + there[1] * second.inner, np.float32) / (there[0] + there[1])
        inner: Floats = covered(common, CLASS_EDGE) * np.float32(1 / 255)
        counts = shares[0] * first.counts(), shares[1] * second.counts()
        share: Floats = np.zeros_like(common)
        shift = np.zeros((*common.shape, 3), np.float32)
        for which, part in zip(CLASSES, (1 - inner, inner), strict=True):
            one, other = counts[0] * _ramp(first.inner, which), counts[1] * _ramp(second.inner, which)
            of_first = one / (one + other)
            share += part * of_first
            away = part * (of_first - shares[0])
            shift += away[..., None] * (second.tones[int(which)] - first.tones[int(which)]).astype(np.float32)
        return cls(share, np.rint(shift).astype(np.int16), inner)

    def shares(self, size: tuple[int, int]) -> Floats:
        """(h, w) in 0..1: of the first end's colours, in `size` (width, height)."""
        return np.asarray(cv2.resize(self.share, size, interpolation=cv2.INTER_LINEAR))

    def mixed(self, first: Pixels, second: Pixels, shares: Floats | None = None) -> Pixels:
        """(h, w, 3): the colours of both ends, (h, w, 3) each, mixed; `shares` (h, w) where they were changed."""
        size = (first.shape[1], first.shape[0])
        out = ops.blend(second, first, self.shares(size) if shares is None else shares)
        shift = cv2.resize(self.shift, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.add(out, shift, dst=out, dtype=cv2.CV_8U))

    def outer(self, alpha: Pixels) -> Pixels:
        """(h, w): the part of the opacity `alpha` (h, w) that is outside of the inner class."""
        share = cv2.resize(1 - self.inner, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.multiply(alpha, share, dtype=cv2.CV_8U))


def opacity_between(first: WarpedLayer, second: WarpedLayer, degree: float) -> Pixels:
    """(h, w): opacity of the layer at `degree`."""
    return outline_between((first.alpha, second.alpha), (first.outline, second.outline), degree)


def canvas_of(first: Layer, second: Layer) -> Box:
    """The box, in pixels of the picture, that holds both layers."""
    corners = np.array([first.corner, second.corner])
    ends = corners + [layer.alpha.shape[::-1] for layer in (first, second)]
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), ends.max(axis=0).tolist()
    return Box.between(x0, y0, x1, y1)


def _ramp(field: Floats, inside: bool) -> Floats:
    """(h, w) in `LEAST`..1: growing over `FADE` from an outline inwards, or outwards."""
    away = field - np.float32(REACH)
    away *= np.float32(1 / FADE if inside else -1 / FADE)
    return np.clip(away, np.float32(LEAST), np.float32(1), out=away)


def coarse(shape: tuple[int, ...], cell: int) -> tuple[int, int]:
    """(width, height) of a grid of cells over an array (h, w, ...)."""
    return -(-shape[1] // cell), -(-shape[0] // cell)
