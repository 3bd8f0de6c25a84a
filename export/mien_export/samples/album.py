"""The pictures that sample portraits are blended from, selected by criteria, never by name."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.float32]
"""(H, W, 3), sRGB in 0..1."""
SIDE = 256

SKIN = (50, 280, 205, 425, 101, 330)
CHIN = (199, 200, 208, 428, 32, 262)
ABOVE_LIP = (165, 391, 167, 393)
LIPS = (17, 14, 84, 314, 0, 37, 267)
JAW = (58, 288, 172, 397)
FRAME_OF_GLASSES = ((168, 6, 122, 351), 3), ((118, 347, 119, 348, 101, 330), 5)


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """Training portraits, one a person, colour, hardly padded."""

    files: tuple[Path, ...]
    landmarks: Array
    """(N, 478, 2) in pixels of the 256 px pictures."""
    mouth_open: Array
    """(N,) gap of the lips over eye distance."""
    yaw: Array
    """(N,) how far from frontal, about 0..1."""
    detailed: NDArray[np.bool_]
    """(N,) whether the picture was made smaller, not larger."""

    def read(self, index: int) -> Picture:
        """Picture `index`."""
        pixels = cv2.imread(str(self.files[index]), cv2.IMREAD_COLOR)
        return np.asarray(pixels[:, :, ::-1] / np.float32(255), dtype=np.float32)


def open_album(data: Path, pad_limit: float = 0.12) -> Album:
    """The album in `data`, the folder of faces."""
    with (data / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    keep = [i for i, row in enumerate(rows) if _usable(row, pad_limit)]
    rows_kept = [rows[i] for i in keep]
    landmarks = np.load(data / "landmarks.npz")["landmarks"][keep, :, :2].astype(np.float64) * SIDE
    return Album(
        tuple(data / row["file"] for row in rows_kept),
        landmarks,
        np.array([float(row["mouth_open"]) for row in rows_kept]),
        np.abs([float(row["yaw_proxy"]) for row in rows_kept]),
        np.array([row["tier"] == "B" for row in rows_kept]),
    )


def _usable(row: dict[str, str], pad_limit: float) -> bool:
    once = row["split"] == "train" and row["primary"] == "1" and row["grey"] == "0"
    return once and float(row["pad_frac"]) < pad_limit


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What the pictures of an album look like; colours are CIE Lab, (N, 3), distances are in its units."""

    skin: Array
    hair: Array
    beside_jaw: Array
    backdrop: Array
    lip_redness: Array
    """(N,) redness of the lips above that of the skin."""
    beard: Array
    """(N,) how much darker the chin is than the cheeks."""
    moustache: Array
    glasses: Array
    """(N,) strength of edges where frames would run."""

    @property
    def long_hair(self) -> Array:
        """(N,) how far what is beside the jaw differs from the backdrop."""
        return np.asarray(np.linalg.norm(self.beside_jaw - self.backdrop, axis=1))

    @property
    def skin_angle(self) -> Array:
        """(N,) individual typology angle in degrees: above 55 very light, below 10 brown, below -30 dark."""
        return np.asarray(np.degrees(np.arctan2(self.skin[:, 0] - 50, self.skin[:, 2])))


def look_at(album: Album) -> Looks:
    """Measure every picture of `album`."""
    measured = [_measure(album.read(i), album.landmarks[i]) for i in range(len(album.files))]
    columns = [np.array(column) for column in zip(*measured, strict=True)]
    skin, hair, beside, backdrop, lips, chin, above_lip, glasses = columns
    return Looks(
        skin,
        hair,
        beside,
        backdrop,
        lips[:, 1] - skin[:, 1],
        skin[:, 0] - chin[:, 0],
        skin[:, 0] - above_lip[:, 0],
        glasses,
    )


def _measure(picture: Picture, points: Array) -> tuple[Array, ...]:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    centre = points[:468].mean(axis=0)
    above = points[10] + 0.13 * (points[10] - points[152])
    scalp = above + np.array([[-22.0, 3.3], [0.0, 0.0], [22.0, 3.3]])
    edges = cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1)
    frames = [
        np.mean([abs(patch).max() for patch in _patches(edges, points[list(k)], r)]) / 8 for k, r in FRAME_OF_GLASSES
    ]
    strips = np.concatenate([lab[25:70, 2:14].reshape(-1, 3), lab[25:70, -14:-2].reshape(-1, 3)])
    return (
        _colour(lab, points[list(SKIN)], 4),
        _colour(lab, scalp, 5),
        _colour(lab, centre + 1.25 * (points[list(JAW)] - centre), 5),
        np.median(strips, axis=0),
        _colour(lab, points[list(LIPS)], 1),
        _colour(lab, points[list(CHIN)], 3),
        _colour(lab, points[list(ABOVE_LIP)], 2),
        np.array(sum(frames)),
    )


def _patches(plane: NDArray[np.float32], at: Array, radius: int) -> list[NDArray[np.float32]]:
    corners = np.clip(at.astype(int), radius, SIDE - 1 - radius) - radius
    span = 2 * radius + 1
    return [plane[y : y + span, x : x + span] for x, y in corners]


def _colour(lab: Picture, at: Array, radius: int) -> Array:
    return np.asarray(np.median(np.concatenate([p.reshape(-1, 3) for p in _patches(lab, at, radius)]), axis=0))


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
