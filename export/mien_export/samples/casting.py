"""Who is blended into which portrait: criteria, never names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien_export.samples.album import Album, Looks

Chosen = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Album indices of those whose heads, and of those whose closed mouths, are blended."""

    heads: Chosen
    mouths: Chosen


def cast_for(name: str, album: Album, looks: Looks) -> Cast:
    """The cast of portrait `name`.

    Raises:
        ValueError: the album holds too few alike people to hide each of them in a blend.
    """
    heads, mouths = {"mira": _mira, "teo": _teo, "aldo": _aldo}[name](album, looks)
    cast = Cast(np.flatnonzero(heads), np.flatnonzero(mouths))
    if min(len(cast.heads), len(cast.mouths)) < 6:
        raise ValueError(
            f"{name}: expected 6 or more alike people, got {len(cast.heads)} heads, {len(cast.mouths)} mouths"
        )
    return cast


def _mira(album: Album, looks: Looks) -> tuple[Mask, Mask]:
    light, long_hair = looks.skin[:, 0] > 62, looks.long_hair > 35
    dark_hair = (looks.beside_jaw[:, 0] < 30) & (looks.hair[:, 0] < 50)
    heads = album.detailed & light & long_hair & dark_hair & (looks.glasses < 11) & (album.yaw < 0.3)
    heads &= (looks.lip_redness > 0) & (looks.moustache < 14) & (looks.backdrop[:, 2] < -30)
    mouths = (album.mouth_open < 0.02) & (looks.lip_redness > 4.5) & (looks.long_hair > 24) & (album.yaw < 0.35)
    mouths &= (looks.glasses < 13) & (looks.moustache < 11) & (looks.skin_angle > 5) & (looks.beside_jaw[:, 0] < 62)
    return heads, mouths


def _teo(album: Album, looks: Looks) -> tuple[Mask, Mask]:
    short_hair, brown = looks.long_hair < 15, looks.skin_angle < 33
    heads = album.detailed & short_hair & brown & (looks.glasses < 15) & (looks.hair[:, 0] < 64) & (album.yaw < 0.4)
    heads &= (looks.moustache < 19) & (looks.beard < 17)
    mouths = (
        (album.mouth_open < 0.03)
        & short_hair
        & brown
        & (looks.glasses < 14)
        & (looks.hair[:, 0] < 60)
        & (looks.skin[:, 2] > 19)
    )
    mouths &= (looks.beard < 16) & (looks.moustache < 14) & (album.yaw < 0.4)
    return heads, mouths


def _aldo(album: Album, looks: Looks) -> tuple[Mask, Mask]:
    grey = (looks.hair[:, 0] > 58) & (np.hypot(looks.hair[:, 1], looks.hair[:, 2]) < 24)
    apart = np.linalg.norm(looks.hair - looks.backdrop, axis=1) > 15
    heads = (album.mouth_open < 0.03) & (looks.long_hair < 15) & grey & apart & (looks.glasses < 10)
    heads &= (looks.beard < 9) & (looks.moustache < 14) & (album.yaw < 0.4)
    return heads, heads
