"""The inner mouth: extraction of the hint, and drawing (the driver's own, or a cavity with the portrait's teeth).

The driver's inner mouth is warped to the target lips and matched in brightness by the lips, as Averbuch-Elor et al.
("Bringing portraits to life", 2017) transfer it. The map goes column by column between the lips, so it has no folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.face import MouthHint
from mien.plane import Box
from mien.sums import luma
from mien_kernels import ops

INNER, OUTER = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
CHEEKS = np.array([36, 50, 101, 117, 118, 266, 280, 330, 346, 347])
"""An even number of places below the eyes."""
HINT_MARGIN = 3
"""Pixels kept around the lips."""
Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
GAIN_LIMITS = (0.5, 2.0)
LIGHT_SHARE, LIGHT_LIMITS = 0.5, (0.4, 2.5)
"""How much of the difference in red to blue between two skins is the light's, and bounds on that difference."""
MARGIN = 2
"""Pixels around the lips' inner outline."""
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
LINE, LINE_SOFT, LINE_SHADE, LINE_COVER = 0.018, 0.012, 0.45, 0.75
"""Half the height of the dark line where closed lips meet and the deviation of its blur, in mouth widths, its
brightness relative to the lips, and its opacity."""
LINE_GAP = 0.03
"""Gap of the target's lips, in mouth widths, at which the line is gone."""
LIP_COLOUR = (150.0, 90.0, 85.0)
"""Of lips that lie outside of their picture."""


def mouth_hint(pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> MouthHint | None:
    """The hint from a frame (H, W, 3) and its landmarks (478, 3); None where the mouth lies outside of the frame."""
    height, width = pixels.shape[:2]
    lips = landmarks[OUTER, :2]
    x0, y0 = (int(v) - HINT_MARGIN for v in lips.min(axis=0))
    x1, y1 = (int(np.ceil(v)) + HINT_MARGIN for v in lips.max(axis=0))
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        return None
    outline = landmarks[INNER, :2] - np.array([x0, y0], dtype=np.float64)
    return MouthHint(pixels[y0:y1, x0:x1].copy(), outline, *_colours(pixels, landmarks))


def _colours(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3,) each: the mean of the lips, and the median of the cheeks, which hair or glasses may cover in part."""
    plane = landmarks[:, :2]
    places = np.rint(np.concatenate([(plane[INNER] + plane[OUTER]) / 2, plane[CHEEKS]])).astype(np.intp)
    np.maximum(places, 0, out=places)
    np.minimum(places, (pixels.shape[1] - 1, pixels.shape[0] - 1), out=places)
    colours = pixels[places[:, 1], places[:, 0]].astype(np.float64)
    lips, cheeks = colours[: len(INNER)], np.sort(colours[len(INNER) :], axis=0)
    return lips.mean(axis=0), (cheeks[len(cheeks) // 2 - 1] + cheeks[len(cheeks) // 2]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class OwnMouth:
    """A portrait's own mouth, to match a driver's by and to show its teeth."""

    hint: MouthHint | None
    """None where it lies outside of the picture."""
    lip_colour: Array
    """(3,): 0..255."""
    skin_colour: Array | None
    """(3,): 0..255; None: not known."""

    @classmethod
    def of(cls, pixels: Pixels, landmarks: Array) -> OwnMouth:
        """From a picture (H, W, 3) and its landmarks (478, 3)."""
        hint = mouth_hint(pixels, landmarks)
        if hint is None:
            return cls(None, np.array(LIP_COLOUR), None)
        return cls(hint, hint.lip_colour, hint.skin_colour)


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


def inner_mouth_box(target: Array, width: int, height: int) -> Box | None:
    """Rows and columns that a mouth is drawn into, of a picture in whose pixels `target` (478, 2 or 3) is."""
    return Box.around(target[INNER, :2], MARGIN, width, height)


def draw_driver_mouth(
    hint: MouthHint, lip_colour: Array, target: Array, out: Pixels, skin_colour: Array | None = None
) -> None:
    """Draw the driver's inner mouth between the target's lips into `out` (H, W, 3).

    `lip_colour` and `skin_colour` (3,) are the portrait's, `target` (478, 2 or 3) in pixels of `out`.
    """
    spot = _Spot.of(target, out)
    if spot is None:
        return
    lips = lips_of(hint.outline)
    share = RIM + (1 - 2 * RIM) * np.clip(spot.share, 0.0, 1.0)
    top, bottom = np.interp(spot.x, *lips.upper), np.interp(spot.x, *lips.lower)
    drawn = _taken(hint.pixels, lips.pixels(np.stack([spot.x, top + share * (bottom - top)], axis=-1)))
    toned = match_tone(drawn, hint.lip_colour, lip_colour)
    if hint.skin_colour is not None and skin_colour is not None:
        toned *= light_gain(hint.skin_colour, skin_colour)
    spot.lay(toned)


def draw_plain_mouth(own: MouthHint | None, lip_colour: Array, target: Array, out: Pixels) -> None:
    """Draw a dark cavity, below the upper teeth that the portrait's `own` mouth shows, if it is open."""
    spot = _Spot.of(target, out)
    if spot is None:
        return
    drawn = np.broadcast_to((lip_colour * CAVITY).astype(np.float32), (len(spot.x), 3))
    lips = lips_of(own.outline) if own is not None else None
    if own is not None and lips is not None and _opening(lips) > OPEN:
        top, bottom = np.interp(spot.x, *lips.upper), np.interp(spot.x, *lips.lower)
        reach = np.maximum((bottom - top) * (1 - RIM), 1e-6)
        height = top + RIM * reach + np.minimum(spot.down, reach)
        teeth = _taken(own.pixels, lips.pixels(np.stack([spot.x, height], axis=-1)))
        fade = np.clip((reach - spot.down) / (0.3 * reach), 0.0, 1.0).astype(np.float32)[:, None]
        drawn = drawn + (teeth - drawn) * fade
    spot.lay(drawn)


class LipLine:
    """Callable (target, out): draws the dark line between lips that the portrait shows apart only."""

    def __init__(self, own: OwnMouth) -> None:
        shown = 0.0 if own.hint is None else _opening(lips_of(own.hint.outline))
        self._strength = min(max(shown / OPEN - 1, 0.0), 1.0) * LINE_COVER
        self._colour = (own.lip_colour * LINE_SHADE).astype(np.float32)

    def __call__(self, target: Array, out: Pixels) -> None:
        """Draw it into `out` (H, W, 3), where `target` are landmarks (478, 2 or 3) in its pixels and touch."""
        if not self._strength:
            return
        outline = target[INNER, :2]
        upper, lower = outline[:11], np.concatenate([outline[10:], outline[:1]])[::-1]
        along = outline[10] - outline[0]
        width = max(float(np.hypot(*along)), 1e-3)
        gap = float(np.linalg.norm(lower - upper, axis=1).mean()) / width
        soft = LINE_SOFT * width
        box = Box.around(outline, math.ceil(2 * soft) + MARGIN, out.shape[1], out.shape[0])
        if gap >= LINE_GAP or box is None:
            return
        height = LINE * np.sin(np.linspace(0, np.pi, 11))[:, None] ** 0.5 * np.array([-along[1], along[0]])
        line = (upper + lower) / 2 - box.corner
        mask = outline_mask(np.concatenate([line - height, (line + height)[-2:0:-1]]), box.shape)
        mask = cv2.GaussianBlur(mask, (0, 0), soft, dst=mask)
        share = mask[..., None] * np.float32(self._strength * (1 - gap / LINE_GAP))
        below = out[box.area].astype(np.float32)
        out[box.area] = (below + (self._colour - below) * share + np.float32(0.5)).astype(np.uint8)


def brightness_gain(lips_from: Array, lips_to: Array) -> float:
    """Gain between the brightness of two pictures' lips; colours (3,) in 0..255."""
    return float(np.clip((luma(lips_to) + 1) / (luma(lips_from) + 1), *GAIN_LIMITS))


def light_gain(skin_from: Array, skin_to: Array) -> NDArray[np.float32]:
    """(3,): what a mouth's colours are multiplied by where the light is another, as two skins (3,) in 0..255 tell it.

    Light is warmer or cooler, which red and blue tell; green is the skin's own, and would give green teeth. Brightness
    is kept. Skins differ by themselves, too, so that only a share of the difference is taken.
    """
    own, wanted = ((skin[0] + 8) / (skin[2] + 8) for skin in (skin_from, skin_to))
    warmer = min(max(wanted / own, LIGHT_LIMITS[0]), LIGHT_LIMITS[1]) ** (LIGHT_SHARE / 2)
    gain = np.array([warmer, 1.0, 1 / warmer])
    return np.asarray(gain / luma(gain), dtype=np.float32)


def match_tone(drawn: NDArray[np.float32], lips_from: Array, lips_to: Array) -> NDArray[np.float32]:
    """Pixels (..., 3) of a mouth with the brightness that fits other lips.

    What is darker than the lips is taken further down, so that a cavity lit up by the gain stays a cavity, and loses
    colour as it does; what is brighter (teeth) follows the gain.
    """
    bright = luma(drawn)
    relative = bright / np.float32(luma(lips_from) + 1)
    depth = np.clip(1 - relative, 0.0, 1.0)
    tone = np.float32(brightness_gain(lips_from, lips_to)) * (1 - CAVITY_DEPTH * depth)
    grey = (GREY_SHARE * depth)[..., None]
    return np.asarray((drawn + (bright[..., None] - drawn) * grey) * tone[..., None], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Spot:
    """The N pixels between the lips, at least in part, where a mouth is drawn."""

    out: Pixels
    """(h, w, 3): a box of the picture."""
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    covered: NDArray[np.float32]
    """(N,) in 0..1: how much of each lies between the lips."""
    x: Array
    """(N,): along the line of the mouth's corners."""
    share: Array
    """(N,): of the way from upper to lower lip."""
    down: Array
    """(N,): the way below the upper lip, in mouth widths."""

    @classmethod
    def of(cls, target: Array, out: Pixels) -> _Spot | None:
        box = inner_mouth_box(target, out.shape[1], out.shape[0])
        if box is None:
            return None
        outline = target[INNER, :2] - box.corner
        mask = outline_mask(outline, box.shape)
        rows, columns = np.nonzero(mask)
        lips = lips_of(outline)
        x, y = lips.local(np.stack([columns, rows], axis=-1).astype(np.float64)).T
        top, bottom = np.interp(x, *lips.upper), np.interp(x, *lips.lower)
        down = np.maximum(y - top, 0.0)
        share = down / np.maximum(bottom - top, 1e-3)
        return cls(out[box.area], rows, columns, mask[rows, columns], x, share, down)

    def lay(self, drawn: NDArray[np.float32]) -> None:
        """Shade `drawn` (N, 3) below the upper lip and lay it over the picture."""
        shade = (1 - SHADE * np.exp(-self.down / SHADE_DEPTH)).astype(np.float32)[:, None]
        under = self.out[self.rows, self.columns].astype(np.float32)
        over = np.minimum(drawn * shade, 255.0)
        mixed = under + (over - under) * self.covered[:, None] + np.float32(0.5)
        self.out[self.rows, self.columns] = mixed.astype(np.uint8)


def _taken(picture: Pixels, places: Array) -> NDArray[np.float32]:
    """(N, 3): what a picture shows at places (N, 2)."""
    taken = np.empty((1, len(places), 3), np.uint8)
    ops.flow_warp(picture, places.astype(np.float32)[None], taken)
    return np.asarray(taken[0], dtype=np.float32)


def _opening(lips: Lips) -> float:
    return float(np.interp(0.0, *lips.lower) - np.interp(0.0, *lips.upper))


def _rim(points: Array) -> tuple[Array, Array]:
    """A rim (11, 2) as heights over ever increasing x."""
    return np.maximum.accumulate(points[:, 0] + np.arange(len(points)) * 1e-6), points[:, 1]
