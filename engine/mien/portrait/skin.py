"""Skin of the neck: which of what the segmenter calls neck is of the face's colour, and not collar, veil or hair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.person import fill

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

SURE: Final = 0.8
"""How surely a pixel is of the face to take the skin's colour from."""
LIKELY: Final = 0.5
"""Share of the classes of a person from which a pixel may be of the neck."""
CHROMA: Final = (12.0, 14.0)
"""Least and largest distance of colours in the a-b plane of CIELAB, in levels, up to which they are one skin's."""
SPREAD: Final = 2.5
"""The same in median distances of the face's own colours."""
LIGHT: Final = (0.45, 1.1)
"""Lightness of a lit neck as a share of the face's."""
DARKEST: Final = 0.2
"""The same of one in shadow, whose colours are as much weaker as they are darker."""
SHARE: Final = 0.05
"""Share of what is called neck below which the skin that is found in it is not enough to continue the neck by."""
DIM: Final = 0.8
"""Lightness of a neck of which nothing is seen, as a share of the face's."""
SPECK: Final = 0.02
"""Half the width, in eye distances, up to which a piece of skin is a speck of cloth of its colour."""
BEGINS: Final = 0.35
"""Eye distances over which the neck's colour behind the head changes from what is beside it to its skin's."""
COARSE: Final = 0.5
"""Share of the resolution at which these colours are continued: they are smooth."""
FADES: Final = 0.02
"""Width over which the skin of a neck ends beside hidden cloth, in eye distances."""
LEAST: Final = 60
"""Pixels of the neck that must be seen to continue it."""


@dataclass(frozen=True, slots=True, eq=False)
class NeckSkin:
    """What is seen of a neck."""

    bare: Bits
    """(H, W): of the face's colour."""
    beside: Bits
    """(H, W): that and shadows and hair on it: all that is dark."""
    dim: Bits
    """(H, W): all that is called neck and no lighter than a neck can be."""
    usual: Floats
    """(3,): the face's colour, dimmed."""

    @classmethod
    def of(cls, pixels: Pixels, shares: Floats, eyes: float) -> Self | None:
        """In a picture (H, W, 3); None without a face.

        Args:
            shares: (5, H, W) in 0..1, of the groups of classes of `mien.portrait.separating`.
            eyes: the distance of the outer eye corners in pixels.
        """
        face, neck = shares[0] > SURE, shares[3] > LIKELY * shares.sum(axis=0)
        if face.sum() < LEAST:
            return None
        lab = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), 1.0), cv2.COLOR_RGB2LAB)
        faces, own = (lab[where].astype(np.float32) for where in (face, neck))
        middle = np.median(faces, axis=0)
        skin, light = middle[1:] - 128, own[:, 0] / max(float(middle[0]), 1.0)
        most = np.clip(SPREAD * np.median(_apart(faces, skin)), *CHROMA)
        lit = (light > LIGHT[0]) & (light < LIGHT[1]) & (_apart(own, skin) < most)
        shaded = (light > DARKEST) & (light < 1) & (_apart(own, skin * np.minimum(light, 1)[:, None]) < most / 2)
        bare, beside, dim = (
            _only(neck, part) for part in (lit | shaded, lit | shaded | (light < LIGHT[0]), light < DIM)
        )
        width = 2 * max(round(SPECK * eyes), 1) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        bare = np.asarray(cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0)
        return cls(bare, beside, dim, np.median(pixels[face], axis=0) * np.float32(DIM))

    def nearest(self, known: Bits, eyes: float) -> Floats:
        """(H, W) in 0..1: where of the body's `known` pixels (H, W) one of the neck's skin is the nearest. Cloth of
        which a patch was laid there would stand up beside the neck, and tint the soft edge of the hair before it."""
        if not (known & self.beside).any():
            return np.zeros(known.shape, np.float32)
        unknown = 1 - known.astype(np.uint8)
        _, index = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        own = np.zeros(int(index.max()) + 1, np.float32)
        own[index[known]] = self.beside[known]
        return np.asarray(cv2.GaussianBlur(own[index], (0, 0), FADES * eyes), dtype=np.float32)

    def hidden(self, pixels: Pixels, known: Bits, eyes: float) -> Pixels:
        """(H, W, 3): colours of the neck where it is hidden: those of its skin, continued smoothly, and beside a shadow
        or hair on it begun with theirs. Where hardly any skin is seen, all those no lighter than a neck can be;
        or the face's, dimmed.

        Args:
            known: (H, W): surely the body's colours.
        """
        bare, beside, dim = (known & part for part in (self.bare, self.beside, self.dim))
        if bare.sum() < max(LEAST, SHARE * beside.sum()):
            if dim.sum() >= LEAST:
                return fill(pixels, dim, COARSE)
            return np.broadcast_to(self.usual, pixels.shape).astype(np.uint8)
        away = cv2.distanceTransform(1 - known.astype(np.uint8), cv2.DIST_L2, 3)
        deep = np.clip(away / (BEGINS * eyes), 0, 1).astype(np.float32)
        near, own = (fill(pixels, part, COARSE) for part in (beside, bare))
        return np.asarray(cv2.blendLinear(near, own, 1 - deep, deep), dtype=np.uint8)


def _apart(lab: Floats, colour: Floats) -> Floats:
    """(N,): distances of colours (N, 3) from one (2,) or as many (N, 2) in the a-b plane."""
    return np.asarray(np.hypot(*(lab[:, 1:] - 128 - colour).T))


def _only(whole: Bits, part: Bits) -> Bits:
    """(H, W): of the pixels of `whole` (H, W), in their order, those of `part` (N,)."""
    out = np.zeros_like(whole)
    out[whole] = part
    return out
