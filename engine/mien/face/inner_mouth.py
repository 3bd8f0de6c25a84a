"""The inner mouth: the driver's own, or a cavity with what teeth the portrait shows.

The driver's inner mouth is warped to the target lips and matched in brightness by the lips, as Averbuch-Elor et al.
("Bringing portraits to life", 2017) transfer it. The map goes column by column between the lips, so it has no folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.face import MouthHint
from mien.face.outlines import box_around, outline_mask
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

INNER = np.array(topology.INNER_LIPS)
LUMA = np.array([0.299, 0.587, 0.114])
GAIN_LIMITS = (0.5, 2.0)
RIM = 0.08
"""Share of the driver's opening left out along its lips: there the crop shows lip, not mouth."""
SHADE, SHADE_DEPTH = 0.35, 0.05
"""How much darker the mouth is right below the upper lip, and how deep that shade reaches, in mouth widths."""
CAVITY_DEPTH, GREY_SHARE = 0.4, 0.3
"""How much of its brightness and colour the darkest part of a mouth loses."""
CAVITY = 0.22
"""Brightness of the cavity relative to the lips, without a driver's mouth."""
OPEN = 0.08
"""Gap of the portrait's own lips, in mouth widths, from which on its teeth are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Lips:
    """The rims of an open mouth in coordinates along the line of its corners, which lies at x = -0.5 .. 0.5."""

    middle: Array
    axes: Array
    upper: tuple[Array, Array]
    lower: tuple[Array, Array]

    def local(self, points: Array) -> Array:
        """Pixels (..., 2) in the mouth's coordinates."""
        return np.asarray((points - self.middle) @ self.axes.T / (self.axes[0] @ self.axes[0]))

    def pixels(self, points: Array) -> Array:
        """The inverse of `local`."""
        return np.asarray(points @ self.axes + self.middle)


def lips_of(outline: Array) -> Lips:
    """From an inner-lips outline (20, 2) in pixels."""
    along = outline[10] - outline[0]
    length = float(np.hypot(*along))
    along = along if length > 1e-3 else np.array([1.0, 0.0])
    axes = np.array([along, [-along[1], along[0]]])
    middle = (outline[0] + outline[10]) / 2
    local = (outline - middle) @ axes.T / (along @ along)
    upper, lower = local[:11], np.concatenate([local[10:], local[:1]])[::-1]
    return Lips(middle, axes, _rim(upper), _rim(lower))


def draw_driver_mouth(hint: MouthHint, lip_colour: Array, target: Array, out: Pixels) -> None:
    """Draw the driver's inner mouth between the target's lips into `out` (H, W, 3).

    `lip_colour` (3,) is the portrait's, `target` (478, 2 or 3) in pixels of `out`.
    """
    spot = _Spot.of(target, out)
    if spot is None:
        return
    lips = lips_of(hint.outline)
    x, share, _ = spot.between()
    share = RIM + (1 - 2 * RIM) * np.clip(share, 0.0, 1.0)
    top, bottom = np.interp(x, *lips.upper), np.interp(x, *lips.lower)
    flow = lips.pixels(np.stack([x, top + share * (bottom - top)], axis=-1)).astype(np.float32)
    drawn = ops.flow_warp(hint.pixels, flow, np.empty((*spot.shape, 3), np.uint8)).astype(np.float32)
    spot.lay(match_tone(drawn, hint.lip_colour, lip_colour))


def draw_plain_mouth(own: MouthHint | None, lip_colour: Array, target: Array, out: Pixels) -> None:
    """Draw a dark cavity, below the upper teeth that the portrait's `own` mouth shows, if it is open."""
    spot = _Spot.of(target, out)
    if spot is None:
        return
    x, _, down = spot.between()
    drawn = np.broadcast_to((lip_colour * CAVITY).astype(np.float32), (*spot.shape, 3))
    lips = lips_of(own.outline) if own is not None else None
    if own is not None and lips is not None and _opening(lips) > OPEN:
        top, bottom = np.interp(x, *lips.upper), np.interp(x, *lips.lower)
        reach = np.maximum((bottom - top) * (1 - RIM), 1e-6)
        flow = lips.pixels(np.stack([x, top + RIM * reach + np.minimum(down, reach)], axis=-1)).astype(np.float32)
        teeth = ops.flow_warp(own.pixels, flow, np.empty((*spot.shape, 3), np.uint8)).astype(np.float32)
        fade = np.clip((reach - down) / (0.3 * reach), 0.0, 1.0).astype(np.float32)[..., None]
        drawn = drawn + (teeth - drawn) * fade
    spot.lay(drawn)


def brightness_gain(lips_from: Array, lips_to: Array) -> float:
    """Factor that brings one picture's lips to the brightness of another's; colours (3,) in 0..255."""
    return float(np.clip((lips_to @ LUMA + 1) / (lips_from @ LUMA + 1), *GAIN_LIMITS))


def match_tone(drawn: NDArray[np.float32], lips_from: Array, lips_to: Array) -> NDArray[np.float32]:
    """Pixels (h, w, 3) of a mouth with the brightness that fits other lips.

    What is darker than the lips is taken further down, so that a cavity lit up by the gain stays a cavity, and loses
    colour as it does; what is brighter (teeth) follows the gain.
    """
    luma = drawn @ LUMA.astype(np.float32)
    relative = luma / np.float32(lips_from @ LUMA + 1)
    depth = np.clip(1 - relative, 0.0, 1.0)
    tone = np.float32(brightness_gain(lips_from, lips_to)) * (1 - CAVITY_DEPTH * depth)
    grey = (GREY_SHARE * depth)[..., None]
    return np.asarray((drawn + (luma[..., None] - drawn) * grey) * tone[..., None], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Spot:
    """The place in a picture where a mouth is drawn."""

    out: Pixels
    box: tuple[slice, slice]
    shape: tuple[int, int]
    lips: Lips
    mask: NDArray[np.float32]

    @classmethod
    def of(cls, target: Array, out: Pixels) -> _Spot | None:
        outline = target[INNER, :2]
        box = box_around(outline, 2, out.shape[1], out.shape[0])
        if box is None:
            return None
        shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
        corner = np.array([box[1].start, box[0].start], dtype=np.float64)
        return cls(out, box, shape, lips_of(outline - corner), outline_mask(outline - corner, shape))

    def between(self) -> tuple[Array, Array, Array]:
        """For each pixel x along the mouth, the share of the way from upper to lower lip, and the way below the
        upper."""
        ys, xs = np.mgrid[0 : self.shape[0], 0 : self.shape[1]].astype(np.float64)
        place = self.lips.local(np.stack([xs, ys], axis=-1))
        top, bottom = np.interp(place[..., 0], *self.lips.upper), np.interp(place[..., 0], *self.lips.lower)
        down = np.maximum(place[..., 1] - top, 0.0)
        return place[..., 0], down / np.maximum(bottom - top, 1e-3), down

    def lay(self, drawn: NDArray[np.float32]) -> None:
        """Shade `drawn` (h, w, 3) below the upper lip and lay it over the picture."""
        _, _, down = self.between()
        shade = (1 - SHADE * np.exp(-down / SHADE_DEPTH)).astype(np.float32)[..., None]
        under = self.out[self.box].astype(np.float32)
        over = np.minimum(drawn * shade, 255.0)
        self.out[self.box] = (under + (over - under) * self.mask[..., None] + np.float32(0.5)).astype(np.uint8)


def _opening(lips: Lips) -> float:
    return float(np.interp(0.0, *lips.lower) - np.interp(0.0, *lips.upper))


def _rim(points: Array) -> tuple[Array, Array]:
    """A rim (11, 2) as heights over ever increasing x."""
    return np.maximum.accumulate(points[:, 0] + np.arange(len(points)) * 1e-6), points[:, 1]
