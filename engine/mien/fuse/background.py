"""Background replacement: keep, blur, a colour, a picture, or transparency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face.face import eye_distance
from mien.portrait.portrait import Portrait
from mien.sums import box_mean, smoothstep
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Kind = Literal["keep", "blur", "alpha", "picture"]

COLOURS: Final = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "green": (0, 177, 64),
    "blue": (0, 71, 187),
}
"""Green and blue are the chroma key colours of studios."""
BLUR: Final = 0.35
"""Radius in eye distances."""
TIGHT: Final = 0.05
"""Erosion radius of the matte in eye distances: the margin that preparation added for the hair."""
INSIDE, OUTSIDE = 0.99, 0.7
"""Local mean of the matte above which a pixel is all person, and below which it is background."""
SURE: Final = 0.15
"""Opacity above which the person's colour can be separated from the background's."""
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A background setting, the same for every portrait."""

    kind: Kind = "keep"
    picture: Pixels | None = None
    """(H, W, 3): of the kind `picture`; shown in the middle, as large as it must be to fill the frame."""


def colour_of(name: str) -> tuple[int, int, int] | None:
    """The colour that `#rrggbb` or one of `COLOURS` names; None for what names none."""
    found = _HEX.fullmatch(name)
    if found is not None:
        red, green, blue = (int(part, 16) for part in found.groups())
        return red, green, blue
    return COLOURS.get(name)


def plain(colour: tuple[int, int, int]) -> Background:
    """One colour everywhere."""
    return Background("picture", np.array([[colour]], np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A portrait's person cut out for another background."""

    person: Pixels
    """(H, W, 4): straight alpha; colours free of the picture's own background."""
    behind: Pixels | None
    """(H, W, 3): what is seen behind; None: nothing, transparency is kept."""

    @property
    def at_rest(self) -> Pixels:
        """(H, W, 3 or 4): the composite where nothing moves."""
        return self.person if self.behind is None else ops.blend(self.behind, self.person)


def cut(portrait: Portrait, background: Background) -> CutOut:
    """The person of `portrait` over a `background` that does not keep the picture's own.

    Raises:
        FaceError: no person could be told from the background in this picture.
    """
    if portrait.matte is None or portrait.background is None:
        raise FaceError(
            "the portrait's person could not be told from its background, so it cannot be shown before another one; "
            "keep the background, or use a picture with more around the person"
        )
    eyes = eye_distance(portrait.landmarks)
    matte = _drawn_in(portrait.matte, max(TIGHT * eyes, 1.0))
    person = _freed(portrait.pixels, portrait.background, matte)
    alpha = np.rint(matte * 255).astype(np.uint8)
    return CutOut(np.ascontiguousarray(np.dstack([person, alpha])), behind_of(portrait, background))


def behind_of(portrait: Portrait, background: Background) -> Pixels | None:
    """(H, W, 3): what is seen behind a portrait with a matte before a `background` that is not its own; None: nothing,
    transparency is kept."""
    eyes = eye_distance(portrait.landmarks)
    if background.kind == "alpha":
        return None
    assert portrait.background is not None
    if background.kind == "blur":
        soft = portrait.background.astype(np.float32)
        for _ in range(3):  # three boxes are nearly a Gaussian
            soft = box_mean(soft, max(BLUR * eyes / 2, 1.0))
        return np.rint(soft).astype(np.uint8)
    assert background.picture is not None
    return filling(background.picture, portrait.size)


def filling(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The middle of `picture` (H, W, 3), scaled to fill `size` (width, height)."""
    width, height = size
    have_h, have_w = picture.shape[:2]
    scale = max(width / have_w, height / have_h)
    if scale < 1:
        radius = (1 / scale - 1) / 2
        picture = np.rint(box_mean(picture.astype(np.float32), radius)).astype(np.uint8) if radius >= 0.5 else picture
    x = (np.arange(width) + 0.5 - width / 2) / scale + have_w / 2 - 0.5
    y = (np.arange(height) + 0.5 - height / 2) / scale + have_h / 2 - 0.5
    flow = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    return ops.flow_warp(np.ascontiguousarray(picture), flow)


def _drawn_in(matte: Pixels, radius: float) -> Floats:
    """The matte without its margin, which would show the old background."""
    around = box_mean(matte.astype(np.float32) / 255, radius)
    share = np.clip((around - OUTSIDE) / (INSIDE - OUTSIDE), 0.0, 1.0)
    return np.asarray(smoothstep(share), dtype=np.float32)


def _freed(pixels: Pixels, background: Pixels, matte: Floats) -> Pixels:
    """The person's colours without the background that is mixed in at soft edges."""
    alpha = np.maximum(matte, SURE)[..., None]
    own = (pixels - (1 - alpha) * background.astype(np.float32)) / alpha
    return np.asarray(np.clip(np.rint(np.where(matte[..., None] >= SURE, own, pixels)), 0, 255), dtype=np.uint8)
