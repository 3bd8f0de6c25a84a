"""Mouth hints of training pairs: the target's own inner mouth, or another person's."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.mouth import draw_driver_mouth, lips_of, mouth_hint
from mien.face import topology
from mien.face.crop import SIDE
from mien.face.face import MouthHint
from mien.paint.erase import NOTHING
from mien.portrait.portrait import Portrait
from mien_export.data.faces import Faces

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

DROPPED: Final = 0.25
"""How often there is no hint."""
ANOTHERS: Final = 0.25
"""How often it is the mouth of somebody else that is opened alike."""
INNER: Final = np.array(topology.INNER_LIPS)


def hint_of(picture: Pixels, landmarks: Array, rng: np.random.Generator) -> MouthHint | None:
    """The inner mouth of `picture` (H, W, 3) with `landmarks` (478, 3), under another camera; None one time in four."""
    if rng.random() < DROPPED:
        return None
    found = _off(landmarks, rng)
    mouth = mouth_hint(picture, found)
    if mouth is None:
        return None
    factor, pixels = recoloured(mouth.pixels, rng)
    skin = None if mouth.skin_colour is None else mouth.skin_colour * factor
    return MouthHint(pixels, mouth.outline, mouth.lip_colour * factor, skin)


def recoloured(picture: Pixels, rng: np.random.Generator) -> tuple[Array, Pixels]:
    """What the lips' colours (3,) are multiplied by, and the picture.

    Mild changes of colour, brightness and sharpness: strong ones would teach that darkness means nothing.
    """
    values = picture.astype(np.float32) / 255
    factor = np.exp(rng.normal(0, 0.06, 3)) * np.exp(rng.normal(0, 0.15))
    values = values ** np.float32(np.exp(rng.normal(0, 0.12))) * factor.astype(np.float32)
    if rng.random() < 0.4:
        values = _softened(values)
    values += rng.standard_normal(values.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.02))
    return factor, np.asarray(np.clip(values * 255 + 0.5, 0, 255), dtype=np.uint8)


def hint_picture(hint: MouthHint | None, portrait: Portrait, landmarks: Array) -> Pixels:
    """(256, 256, 3): the hint between the target's lips, `landmarks` (478, 3) in the crop; 128 elsewhere."""
    out = np.full((SIDE, SIDE, 3), NOTHING, np.uint8)
    if hint is not None:
        own = mouth_hint(portrait.pixels, portrait.landmarks)
        colour = own.lip_colour if own is not None else hint.lip_colour
        draw_driver_mouth(hint, colour, landmarks, out, own.skin_colour if own is not None else None)
    return out


def _off(landmarks: Array, rng: np.random.Generator) -> Array:
    """Landmarks whose inner lips were found a little elsewhere."""
    out = landmarks.copy()
    out[INNER, :2] += rng.normal(0, 0.5, 2) + rng.normal(0, 0.3, (len(INNER), 2))
    return out


def _softened(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A blur over three pixels."""
    for axis in (0, 1):
        values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return values


PLACES: Final = np.array([-0.25, 0.0, 0.25])
"""Along the line of the corners, in mouth widths."""
ALIKE: Final = 0.05
"""Sum over `PLACES` of differences, in mouth widths, up to which two mouths are opened alike."""
NEAREST: Final = 8
"""Of which one is drawn."""


class OtherMouths:
    """Finds portraits of a folder by their opening. Pickles; openings are measured when first asked for."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def draw(self, landmarks: Array, identity: str, rng: np.random.Generator) -> int | None:
        """A portrait of somebody else whose mouth is opened as that of landmarks (478, 2 or 3); None where none is."""
        far = np.abs(self._openings - opening(landmarks)).sum(axis=1) + np.where(self._people == identity, np.inf, 0.0)
        near = np.argsort(far, kind="stable")[:NEAREST]
        near = near[far[near] <= ALIKE]
        return int(rng.choice(near)) if len(near) else None

    @cached_property
    def _openings(self) -> Array:
        """(n, 3)."""
        return np.array([opening(self._faces.landmarks(index)) for index in range(self._faces.count)])

    @cached_property
    def _people(self) -> NDArray[np.str_]:
        return np.array([self._faces.identity(index) for index in range(self._faces.count)])


def opening(landmarks: Array) -> Array:
    """(3,): gaps of the inner lips of landmarks (478, 2 or 3) at `PLACES`, in mouth widths."""
    lips = lips_of(landmarks[INNER, :2])
    return np.asarray(np.interp(PLACES, *lips.lower) - np.interp(PLACES, *lips.upper))
