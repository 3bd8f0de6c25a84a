"""Synthetic pairs: a real photograph is the ground truth, and the portrait is made by warping it.

The photograph is warped to a closed mouth, other lids, another turn, brows and gaze; that is the portrait. Its way back
to the photograph is known, so real teeth, eyes and skin tell how well a model paints them. The portrait is made by the
engine's own mesh, which is inverted almost exactly by `warp`: for skin this favours `warp`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mien.face.contacts import lip_gaps
from mien.face.measures import REGIONS, lower_face_height, region_weights
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.face.topology import canonical_face
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import portrait_of
from mien_bench.quality.people import Photograph
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.self_reenactment import Moment, Scene, hints_for, mouth_of

Array = NDArray[np.float64]

OPEN = 0.04
"""Gap of the lips in heights of the lower face from which on a mouth shows something."""
YAW, PITCH, ROLL = 14.0, 9.0, 6.0
"""Degrees: the most by which the head is turned."""
SHIFT, SIZE = 0.04, 0.05
"""Of the head: eye distances, and relative size."""
BROWS = (-0.03, 0.05)
"""How far brows sink or rise, in eye distances."""
GAZE = 0.12
"""Eye widths."""
BLINKS: Final = 0.35
"""Fraction of the portraits whose eyes are nearly shut."""
JAW_SHARE = 0.6
"""Of the lips' gap, what the chin does along."""


def pairs(faces: Sequence[Photograph], variants: int = 2, seed: int = 0) -> Iterator[Scene]:
    """`variants` scenes of one moment for each face; the same faces and seed give the same pairs."""
    mouths = [mouth for face in faces if (mouth := mouth_of(face.identity, face.pixels, face.landmarks)) is not None]
    for face in faces:
        photograph = prepare_portrait(face.pixels, face.landmarks, None)
        random = np.random.default_rng((seed, crc32(face.pixels.tobytes())))
        for variant in range(variants):
            portrait = manufactured(photograph, random)
            hints = hints_for(face.pixels, photograph.landmarks, face.identity, mouths, random)
            moment = Moment(f"{face.name}.{variant}", face.pixels, photograph.landmarks, hints)
            yield Scene(face.identity, portrait, (moment,))


def manufactured(photograph: Portrait, random: np.random.Generator) -> Portrait:
    """A portrait of the same person, who does something else."""
    with open_puppet(photograph, settings_for("warp", "none", threads=1)) as puppet:
        shown = puppet(another_face(photograph, random), 0)
    return portrait_of(shown.pixels, shown.landmarks)


def another_face(photograph: Portrait, random: np.random.Generator) -> Motion:
    """A motion away from what the photograph shows, such that it shows what the outcome hides.

    An open mouth is closed, or nearly; a closed one may open. Lids close or move a little. The rest is free.
    """
    had = np.maximum(lip_gaps(photograph.shape), 0.0) / lower_face_height(photograph.rest)
    lips = _lips(had, random)
    return replace(
        identity_motion(),
        turn=Angles(*(float(random.uniform(-most, most)) for most in (YAW, PITCH, ROLL))),
        translation=random.uniform(-SHIFT, SHIFT, 2),
        scale=float(np.exp(random.uniform(-SIZE, SIZE))),
        expression=_brows(random) + _jaw(float(lips.max() - had.max())),
        lids=_lids(random),
        gaze=np.tile(random.uniform(-GAZE, GAZE, 2), (2, 1)),
        lips=lips,
    )


def _lips(had: Array, random: np.random.Generator) -> Array:
    if had.max() > OPEN:
        return had * (0.0 if random.random() < 0.6 else random.uniform(0.0, 0.4))
    if random.random() < 0.5:
        return np.zeros_like(had)
    return np.asarray(random.uniform(0.05, 0.35) * np.sin(np.linspace(0, np.pi, len(had) + 2))[1:-1])


def _lids(random: np.random.Generator) -> Array:
    if random.random() < BLINKS:
        return np.full(2, random.uniform(0.0, 0.4))
    return np.full(2, random.uniform(0.7, 1.2))


def _brows(random: np.random.Generator) -> Array:
    """(478, 3): offsets of the canonical face."""
    out = np.zeros((478, 3))
    out[:, 1] = -random.uniform(*BROWS) * region_weights()[:, REGIONS.index("brows")]
    return out


def _jaw(opening: float) -> Array:
    """(478, 3): the chin follows lips that open by `opening` heights of the lower face, or close."""
    points = canonical_face().points
    mouth, chin = points[14, 1], points[152, 1]
    below = np.clip((points[:, 1] - mouth) / (chin - mouth), 0.0, 1.0)
    out = np.zeros((478, 3))
    out[:, 1] = JAW_SHARE * opening * lower_face_height(points) * below * below * (3 - 2 * below)
    return out
