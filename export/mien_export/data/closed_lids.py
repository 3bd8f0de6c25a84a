"""Portraits with their eyes shut or half shut: the engine's lids, repainted as the skin of a lid, with lashes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import lash_colours
from mien.face import topology
from mien.face.contacts import lip_gaps
from mien.face.measures import lower_face_height
from mien.face.motion import Motion
from mien.face.pose import Angles
from mien.portrait.measure import prepare_portrait
from mien.reenact.target import target_of
from mien_export.data.lid_skin import draw_lashes, paint_lid
from mien_export.data.moved_skin import moved_skin
from mien_export.data.tones import tones_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SHUT, WINK = 0.5, 0.15
"""How often both eyes are fully shut, and how often one of them is nearly open."""
MOST_OPEN: Final = 0.7
"""Opening relative to the portrait's up to which an eye counts as half shut."""


def close_lids(picture: Pixels, landmarks: Array, rng: np.random.Generator) -> tuple[Pixels, Array]:
    """The same person with shut or half shut eyes, as (picture, landmarks).

    Args:
        picture: (H, W, 3) RGB.
        landmarks: (478, 3) in its pixels.
        rng: draws how far each eye shuts, and where half shut eyes look.

    Raises:
        FaceError: the face is too small or turned away.
    """
    return with_lids(picture, landmarks, random_lids(rng), rng)


def random_lids(rng: np.random.Generator) -> Array:
    """(2,): opening of the left and right eye relative to the portrait's, 0 shut."""
    out = np.full(2, 0.0 if rng.uniform() < SHUT else rng.uniform(0.0, MOST_OPEN))
    if rng.uniform() < WINK:
        out[rng.integers(2)] = rng.uniform(MOST_OPEN, 1.0)
    return out


def with_lids(picture: Pixels, landmarks: Array, lids: Array, rng: np.random.Generator) -> tuple[Pixels, Array]:
    """As `close_lids`, with openings (2,) that are given."""
    portrait = prepare_portrait(picture, landmarks, None)
    mouth = np.maximum(lip_gaps(portrait.shape), 0.0) / lower_face_height(portrait.rest)
    gaze = np.tile([rng.normal(0.0, 0.04), rng.uniform(-0.02, 0.06)], (2, 1)) * (1 - lids[:, None])
    still = Angles(0.0, 0.0, 0.0)
    target = target_of(portrait, Motion(still, np.zeros(2), 1.0, np.zeros((478, 3)), lids, gaze, mouth))
    out = moved_skin(portrait, target)
    grain = tones_of(picture, landmarks).grain
    colours = lash_colours(picture, portrait.landmarks)
    for eye, colour, lid in zip(topology.EYES, colours, lids, strict=True):
        before, after = portrait.landmarks[list(eye), :2], target.landmarks[list(eye), :2]
        paint_lid(out, before, after, grain, rng)
        draw_lashes(out, after, colour, float(1 - lid), rng)
    return out, target.landmarks
