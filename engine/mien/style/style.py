"""Stage `style`: the portrait in a painter's style, once, and what is painted of it, for every frame.

The portrait is drawn in the style before anything moves, so its strokes move with the face and cannot flicker; only the
network's painting (eyes, mouth) is drawn anew in every frame, by the portrait's look.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError
from mien.face.crop import crop_matrix
from mien.plane import Affine
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.posed import Painting, Posed
from mien.style.readable import face_outline
from mien.style.steady import SteadyStrokes
from mien.style.styler import BORDER, StyleLook, Styler
from mien.style.wish import StyleWish
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FINEST: Final = 0.5
"""Pixels that the network sees per pixel of the generators' crop, at most: a patch has room for so many."""
UNLIKE: Final = 0.02
"""By which share the ratio of a drawn portrait's sides may differ: sizes are made even."""
FADE: Final = 1 / 64
"""Share of the longer side over which what the picture shows of a layer fades."""


class Style:
    """Callable (posed portraits, paintings) -> the same in the style."""

    def __init__(
        self, portraits: tuple[Portrait, ...], styler: Styler, wish: StyleWish, given: Pixels | None = None
    ) -> None:
        """Draws the portraits in the style. The caller closes `styler`.

        Args:
            given: (H, W, 3), the first portrait as somebody drew it; None: the network draws it.

        Raises:
            SettingError: the styler has no such style, or what is given has another shape.
        """
        mix, strength = wish.mix(styler.names), wish.strength
        self._styler = styler
        first, *others = portraits
        self._drawn = {first.digest: styled(first, styler, mix, strength, given)}
        self._drawn |= {portrait.digest: styled(portrait, styler, mix, strength) for portrait in others}
        self._steady = {portrait.digest: SteadyStrokes() for portrait, _ in self._drawn.values()}

    def __call__(
        self, posed: tuple[Posed, ...], paintings: tuple[Painting | None, ...] | None
    ) -> tuple[tuple[Posed, ...], tuple[Painting | None, ...] | None]:
        """Without `paintings`, only the portraits change."""
        found = [self._drawn[one.portrait.digest] for one in posed]
        changed = tuple(replace(one, portrait=portrait) for one, (portrait, _) in zip(posed, found, strict=True))
        if paintings is None:
            return changed, None
        looks = [look for _, look in found]
        return changed, tuple(map(self._painted, changed, paintings, looks))

    def _painted(self, posed: Posed, painting: Painting | None, look: StyleLook) -> Painting | None:
        if painting is None:
            return None
        steady = self._steady[posed.portrait.digest]
        drawn = self._styler.patch(painting.generated, painting.matrix, look, posed, steady)
        return replace(painting, generated=drawn)


def styled(
    portrait: Portrait, styler: Styler, mix: Floats, strength: float, given: Pixels | None = None
) -> tuple[Portrait, StyleLook]:
    """The portrait with picture, background and layers in a style, and the look of the picture.

    Landmarks, pose and matte stay the photograph's. Where a layer is seen in the picture it is drawn as there; what is
    hidden is drawn by itself, with the same look.

    Args:
        given: (H, W, 3), the picture as somebody drew it; None: the network draws it.

    Raises:
        SettingError: what is given has another shape than the portrait.
    """
    into = _into_canvas(portrait, styler.room)
    face = face_outline(portrait.landmarks)
    pixels, look = styler.whole(portrait.pixels, into, mix, strength, faces=(face,))
    if given is not None:
        pixels = _fitted(given, portrait.size)

    def drawn(picture: Pixels, seen: Pixels | None = None, corner: tuple[int, int] = (0, 0)) -> Pixels:
        moved = into.copy()
        moved[:, 2] += into[:, :2] @ np.array(corner, dtype=np.float64)
        answer = styler.whole(picture, moved, mix, strength, look, (face - corner,))[0]
        return answer if seen is None else _shown(answer, pixels, seen, corner)

    def layer(part: Layer, seen: Pixels) -> Layer:
        return replace(part, pixels=drawn(part.pixels, seen, part.corner))

    layers = portrait.layers
    if layers is not None:
        head, body = (_in_picture(part, portrait.size) for part in (layers.head, layers.body))
        layers = Layers(
            drawn(layers.background, np.bitwise_not(np.maximum(head, body))),
            layer(layers.body, np.minimum(body, np.bitwise_not(head))),
            layer(layers.head, head),
            layers.reach,
        )
    background = None
    if portrait.background is not None and portrait.matte is not None:
        background = drawn(portrait.background, np.bitwise_not(portrait.matte))
    drawing = b"" if given is None else given.tobytes()
    asked = portrait.digest.encode() + mix.tobytes() + np.float32(strength).tobytes() + drawing
    digest = hashlib.sha256(asked).hexdigest()
    return replace(portrait, pixels=pixels, background=background, layers=layers, digest=digest), look


def _fitted(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """A drawn portrait in the portrait's size.

    Raises:
        SettingError: its sides have another ratio.
    """
    height, width = picture.shape[:2]
    if abs(width * size[1] - height * size[0]) > UNLIKE * height * size[0]:
        raise SettingError(
            f"style_picture: expected the portrait's shape, {size[0]} x {size[1]}, got {width} x {height}; "
            "it must show the same as the portrait, at the same places"
        )
    smaller = width > size[0]
    fitted = cv2.resize(picture[..., :3], size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.asarray(fitted, dtype=np.uint8)


def _in_picture(layer: Layer, size: tuple[int, int]) -> Pixels:
    """(H, W): the layer's opacity at the pixels of the picture."""
    out = np.zeros(size[::-1], np.uint8)
    x, y = layer.corner
    height, width = layer.alpha.shape
    rows, columns = slice(max(y, 0), min(y + height, size[1])), slice(max(x, 0), min(x + width, size[0]))
    out[rows, columns] = layer.alpha[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return out


def _shown(answer: Pixels, picture: Pixels, seen: Pixels, corner: tuple[int, int]) -> Pixels:
    """A layer as the whole picture shows it where nothing is mixed in, which fades into its own answer.

    Args:
        answer: (h, w, 3), the layer drawn by itself.
        picture: (H, W, 3), the whole picture, drawn.
        seen: (H, W), 255 where the picture shows nothing but this layer.
        corner: of the layer in the picture.
    """
    grown = max(round(FADE * max(picture.shape[:2])), 2)
    inside = cv2.erode(seen, np.ones((grown, grown), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=255)
    share = cv2.blur(inside, (grown, grown))
    x, y = corner
    height, width = answer.shape[:2]
    rows, columns = slice(max(y, 0), min(y + height, len(picture))), slice(max(x, 0), min(x + width, picture.shape[1]))
    part = (slice(rows.start - y, rows.stop - y), slice(columns.start - x, columns.stop - x))
    over = np.ascontiguousarray(picture[rows, columns])
    answer[part] = ops.blend(np.ascontiguousarray(answer[part]), over, np.ascontiguousarray(share[rows, columns]))
    return answer


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
