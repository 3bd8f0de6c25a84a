"""Stage `style`: the portrait in a painter's style, once, and what is painted of it, for every frame.

The portrait is drawn in the style before anything moves, so its strokes move with the face and cannot flicker; only the
network's painting (eyes, mouth) is drawn anew in every frame, by the portrait's look.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.crop import crop_matrix
from mien.plane import Affine
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.posed import Painting, Posed
from mien.style.styler import BORDER, Look, Styler
from mien.style.wish import StyleWish

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FINEST: Final = 0.5
"""Pixels that the network sees per pixel of the generators' crop, at most: a patch has room for so many."""


class Style:
    """Callable (posed portraits, paintings) -> the same in the style."""

    def __init__(self, portraits: tuple[Portrait, ...], styler: Styler, wish: StyleWish) -> None:
        """Draws the portraits in the style. The caller closes `styler`.

        Raises:
            SettingError: the styler has no such style.
        """
        mix = wish.mix(styler.names)
        self._styler = styler
        self._drawn = {portrait.digest: styled(portrait, styler, mix, wish.strength) for portrait in portraits}

    def __call__(
        self, posed: tuple[Posed, ...], paintings: tuple[Painting | None, ...] | None
    ) -> tuple[tuple[Posed, ...], tuple[Painting | None, ...] | None]:
        """Without `paintings`, only the portraits change."""
        found = [self._drawn[one.portrait.digest] for one in posed]
        changed = tuple(replace(one, portrait=portrait) for one, (portrait, _) in zip(posed, found, strict=True))
        if paintings is None:
            return changed, None
        looks = [look for _, look in found]
        return changed, tuple(self._painted(one, look) for one, look in zip(paintings, looks, strict=True))

    def _painted(self, painting: Painting | None, look: Look) -> Painting | None:
        if painting is None:
            return None
        return replace(painting, generated=self._styler.patch(painting.generated, painting.matrix, look))


def styled(portrait: Portrait, styler: Styler, mix: Floats, strength: float) -> tuple[Portrait, Look]:
    """The portrait with picture, background and layers in a style, and the look of the picture.

    Landmarks, pose and matte stay the photograph's.
    """
    into = _into_canvas(portrait, styler.room)
    pixels, look = styler.whole(portrait.pixels, into, mix, strength)

    def drawn(picture: Pixels, corner: tuple[int, int] = (0, 0)) -> Pixels:
        moved = into.copy()
        moved[:, 2] += into[:, :2] @ np.array(corner, dtype=np.float64)
        return styler.whole(picture, moved, mix, strength)[0]

    def layer(part: Layer) -> Layer:
        return replace(part, pixels=drawn(part.pixels, part.corner))

    layers = portrait.layers
    if layers is not None:
        layers = Layers(drawn(layers.background), layer(layers.body), layer(layers.head), layers.reach)
    background = None if portrait.background is None else drawn(portrait.background)
    digest = hashlib.sha256(portrait.digest.encode() + mix.tobytes() + np.float32(strength).tobytes()).hexdigest()
    return replace(portrait, pixels=pixels, background=background, layers=layers, digest=digest), look


def _into_canvas(portrait: Portrait, room: int) -> Affine:
    """From pixels of the portrait to the network's canvas: all of it, its layers too, if not larger than `FINEST`."""
    width, height = portrait.size
    corners = [np.array([0, 0]), np.array([width, height])]
    if portrait.layers is not None:
        for part in (portrait.layers.body, portrait.layers.head):
            corner = np.array(part.corner)
            corners += [corner, corner + part.pixels.shape[1::-1]]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    crop = crop_matrix(portrait.pose)
    finest = FINEST * float(np.sqrt(abs(np.linalg.det(crop[:, :2]))))
    scale = min(room / float((high - low).max()), finest)
    middle = BORDER + room / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, middle[0] + (scale - 1) / 2], [0, scale, middle[1] + (scale - 1) / 2]])
