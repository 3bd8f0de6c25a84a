"""Lashes of closing eyes: they keep their width, and the skin above them is stretched instead.

The mesh has no points between a lid's edge and its crease, so as a lid falls, a warp stretches all that lies between
them, and a thick lash line, as in drawings or with make-up, becomes a dark curtain over the eye. So the lashes are
taken out of the picture before it is warped, as far as the eye is closed, and drawn as a line of their own width after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import RINGS, EyeFrame, draw_upper_lashes, eye_frame, opening
from mien.face import topology
from mien.plane import Box
from mien.sums import smoothstep

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FROM: Final = 0.95
ALL: Final = 0.6
"""Opening relative to the portrait's at which lashes begin to be taken out, and at which all of them are."""
STEP: Final = 0.01
HIGHEST: Final = 0.3
"""Up to this height above the lid, in eye widths, lashes are looked for."""
WIDEST: Final = 0.65
"""The same to each side of the eye's middle: a drawn eye may be larger than the landmarks' outline."""
INNER: Final = 0.4
"""Columns up to which, to each side, the width and the colour of lashes are measured."""
TELLING: Final = 30.0
"""Levels by which lashes must be darker than the skin above them."""
DARK: Final = 0.25
"""Share of the way from their darkness to the skin's up to which a place belongs to the line that is drawn."""
MARGIN: Final = 0.02
"""Width of their soft edge, in eye widths."""
THINNEST: Final = 0.03
"""Lash lines thinner than that, in eye widths, are left to the warp."""
EVEN: Final = 0.06
"""How far the skin that takes their place is made even along the lid, in eye widths."""
COLUMNS: Final = np.linspace(-WIDEST, WIDEST, 27)


class Lashes:
    """The upper lashes of one portrait: taken out of its pixels while these are warped, and drawn after it."""

    def __init__(self, pixels: Pixels, source: Array) -> None:
        """`pixels` (H, W, 3 or 4) are written to by `hidden`; `source` are landmarks (478, 2 or 3) in them."""
        self._pixels = pixels
        self._lines = [_Line.of(pixels, source[list(eye), :2]) for eye in topology.EYES]

    @property
    def widths(self) -> tuple[float, float]:
        """Of the left and the right eye's, in eye widths; 0 for those that are left to the warp."""
        left, right = (0.0 if line is None else line.width for line in self._lines)
        return left, right

    @contextmanager
    def hidden(self, target: Array) -> Iterator[None]:
        """Without the lashes of what eyes are closing in the shape `target` (478, 2 or 3)."""
        taken = []
        for line, ring in zip(self._lines, target[RINGS, :2], strict=True):
            share = 0.0 if line is None else line.share(ring)
            if line is not None and share:
                part = self._pixels[line.box.area]
                taken.append((part, part.copy()))
                line.hide(part, share)
        try:
            yield
        finally:
            for part, before in reversed(taken):
                part[...] = before

    def draw(self, target: Array, out: Pixels) -> None:
        """Draw those that are hidden into `out` (H, W, 3), where `target` are landmarks (478, 2 or 3) in its pixels."""
        for line, ring in zip(self._lines, target[RINGS, :2], strict=True):
            if line is not None:
                draw_upper_lashes(ring, line.colour, line.share(ring), out, line.width)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """The lashes of one eye of the picture."""

    opening: float
    """Of the eye."""
    width: float
    """In eye widths."""
    colour: Array
    """(3,)."""
    box: Box
    skin: Pixels
    """(h, w, C): the box without them."""
    mask: Floats
    """(h, w) in 0..1: where they are."""

    @classmethod
    def of(cls, pixels: Pixels, ring: Array) -> _Line | None:
        """None where they are too thin or too pale to matter, or outside of the picture."""
        frame, own = eye_frame(ring), max(opening(ring), 1e-6)
        profile, places = _profile(pixels, ring, frame)
        darkest, skin = profile.min(axis=0), profile.max(axis=0)
        told = skin - darkest > TELLING
        size = float(np.linalg.norm(frame.axes[0]))
        box = Box.around(ring, int(np.ceil(size * (HIGHEST + 0.1))), pixels.shape[1], pixels.shape[0])
        inner = told & (np.abs(COLUMNS) < INNER)
        dark = (profile < darkest + DARK * (skin - darkest)) & inner
        width = STEP * float(np.median(dark.sum(axis=0)[inner])) if inner.any() else 0.0
        if width < THINNEST or box is None:
            return None
        x, y = np.rint(places[dark]).astype(np.int64).T
        colour = np.median(pixels[y, x, :3], axis=0)
        ends = np.where(told, _ends(profile), 0.0)
        local, above, height = _above(box, ring, frame, ends)
        raised = np.clip(above - height, 0, 2 * above)
        seen = frame.pixels(np.stack([local[..., 0], local[..., 1] - raised], axis=-1)).astype(np.float32)
        bare = cv2.remap(pixels, seen, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        bare = cv2.GaussianBlur(bare, (0, 0), EVEN * size, sigmaY=0.5)
        edges = (above - height) / MARGIN, (height + MARGIN) / MARGIN, (WIDEST - np.abs(local[..., 0])) / MARGIN
        mask = np.clip(np.minimum.reduce(edges), 0, 1).astype(np.float32)
        return cls(own, width, colour, box, bare, mask)

    def share(self, ring: Array) -> float:
        """0..1: how much of them is hidden in an eye with the outline `ring` (16, 2)."""
        open_to = opening(ring) / self.opening
        return smoothstep(min(max((FROM - open_to) / (FROM - ALL), 0.0), 1.0))

    def hide(self, part: Pixels, share: float) -> None:
        """Lay the skin over `part` (h, w, C) of the picture."""
        mask = self.mask * np.float32(share)
        part[...] = cv2.blendLinear(part, self.skin, 1 - mask, mask)


def _profile(pixels: Pixels, ring: Array, frame: EyeFrame) -> tuple[Floats, Array]:
    """(N, 27) grey levels upwards from the lid at `COLUMNS`, and where they are: (N, 27, 2), within the picture."""
    lid, heights = _lid(frame.local(ring), COLUMNS), np.arange(0, HIGHEST, STEP)
    local = np.stack(np.broadcast_arrays(COLUMNS[None], lid[None] - heights[:, None]), axis=-1)
    places = np.clip(frame.pixels(local), 0, (pixels.shape[1] - 1, pixels.shape[0] - 1))
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)
    return cv2.remap(grey, places.astype(np.float32), None, cv2.INTER_LINEAR).astype(np.float32), places


def _ends(profile: Floats) -> Floats:
    """(27,): how high lashes reach in each column, in eye widths: to where half of their darkness is gone."""
    darkest = profile.argmin(axis=0)
    middle = (profile.min(axis=0) + profile.max(axis=0)) / 2
    over = (profile > middle) & (np.arange(len(profile))[:, None] >= darkest)
    return np.asarray(np.where(over.any(axis=0), over.argmax(axis=0), 0) * STEP, dtype=np.float32)


def _above(box: Box, ring: Array, frame: EyeFrame, ends: Floats) -> tuple[Array, Array, Array]:
    """Of a box's pixels: where they are in the eye's coordinates (h, w, 2), how high above the lid lashes reach there,
    and how high above it they are themselves: (h, w) in eye widths."""
    xs, ys = np.meshgrid(np.arange(box.x, box.right), np.arange(box.y, box.bottom))
    local = frame.local(np.stack([xs, ys], axis=-1).astype(np.float64))
    smooth = cv2.GaussianBlur(cv2.dilate(ends[None], np.ones((1, 3), np.uint8)), (0, 0), 1.0)[0]
    above = np.interp(local[..., 0], COLUMNS, smooth)
    above = np.where(above > 0, above + MARGIN, 0)
    return local, above, _lid(frame.local(ring), local[..., 0]) - local[..., 1]


def _lid(local: Array, x: Array) -> Array:
    """y of the upper lid of an outline (16, 2) at `x`, in the eye's coordinates."""
    upper = local[:9][np.argsort(local[:9, 0])]
    return np.asarray(np.interp(x, upper[:, 0], upper[:, 1]))
