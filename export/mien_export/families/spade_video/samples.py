"""What a synthesis learns from: labelled portraits in the crop, before plain backdrops, each in two views."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.face import classes
from mien.face.crop import crop_matrix
from mien.face.pose import fit_pose
from mien.parsing.maps import FINER, nearest_known
from mien_export.families.parsing.label_maker import UNKNOWN
from mien_export.families.parsing.labelled import Labelled, load
from mien_export.families.parsing.samples import MIRRORED_LABELS
from mien_export.families.spade_video.code import SIDE

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

ANGLE, ZOOM, SHIFT = 3.5, 0.05, 0.025
"""Standard deviations of rotation in degrees, logarithm of size, and shift as a share of the side."""
RECOLOURED: Final = 0.5
"""Share of samples before a backdrop of a colour that is not the picture's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A portrait in two views."""

    picture: Pixels
    """(S, S, 3) before a plain backdrop."""
    labels: Pixels
    """(2 S, 2 S)."""
    backdrop: Pixels
    """(3,)."""
    source: Pixels
    """(128, 128, 3): another view of the portrait, from which its code comes."""
    source_labels: Pixels
    """(128, 128)."""


@dataclass(frozen=True)
class Samples:
    """Samples by number, the same for the same seed."""

    place: Path
    """Of the labels, as `labelled.save` wrote them."""
    seed: int
    side: int
    still: bool = False
    """Whether portraits are taken in their order and as they are, for measures."""

    @cached_property
    def _labelled(self) -> Labelled:
        return load(self.place)

    @cached_property
    def count(self) -> int:
        """Of portraits."""
        return len(self._labelled)

    def __call__(self, number: int) -> Sample:
        """Sample `number`."""
        rng = np.random.default_rng([self.seed, number])
        index = number % self.count if self.still else int(rng.integers(self.count))
        person = self._labelled.mattes[index]
        known = without_unknown(self._labelled.labels[index])
        picture = self._labelled.pictures[index]
        backdrop = backdrop_of(picture, known, None if self.still else rng)
        plain = before(picture, person, backdrop)
        crop = crop_matrix(fit_pose(self._labelled.landmarks[index].astype(np.float64)), SIDE)
        mirror = not self.still and rng.uniform() < 0.5
        view, source = (crop if self.still else moved(crop, rng) for _ in range(2))
        own = View(view, self.side, mirror)
        other = View(source, SIDE, mirror)
        table = np.arange(256, dtype=np.uint8) if self.still else exposure(rng)
        return Sample(
            own.picture(table[plain]),
            own.labels(known, FINER),
            table[backdrop],
            other.picture(table[plain]),
            other.labels(known, 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A cut of a portrait."""

    matrix: Matrix
    """(2, 3): from the portrait to a crop of 128 pixels."""
    side: int
    mirror: bool

    def picture(self, pixels: Pixels) -> Pixels:
        """(S, S, 3)."""
        times = 2 if self.side == SIDE else 1  # of twice the size, then in means of cells
        cut = self._cut(pixels, times * self.side, cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(cut, (self.side, self.side), interpolation=cv2.INTER_AREA))

    def labels(self, labels: Pixels, finer: int) -> Pixels:
        """(finer S, finer S)."""
        cut = self._cut(labels, finer * self.side, cv2.INTER_NEAREST)
        return MIRRORED_LABELS[cut] if self.mirror else cut

    def _cut(self, pixels: Pixels, side: int, how: int) -> Pixels:
        share = side / SIDE
        matrix = self.matrix * share
        matrix[:, 2] += (share - 1) / 2
        if self.mirror:
            matrix[0] *= -1
            matrix[0, 2] += side - 1
        cut = cv2.warpAffine(pixels, matrix, (side, side), flags=how, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)


def without_unknown(labels: Pixels) -> Pixels:
    """Labels (H, W), each unknown pixel as the nearest known one is."""
    known = labels != UNKNOWN
    return labels if known.all() else nearest_known(labels, known)


def backdrop_of(picture: Pixels, labels: Pixels, rng: np.random.Generator | None) -> Pixels:
    """(3,): the mean colour of the background, or one drawn at random."""
    if rng is not None and rng.uniform() < RECOLOURED:
        colour = rng.uniform(20, 235) + rng.normal(0, 22, 3)
    else:
        behind = picture[labels == classes.BACKGROUND]
        colour = behind.mean(axis=0) if len(behind) else np.full(3, 128.0)
    return np.clip(colour, 0, 255).astype(np.uint8)


def before(picture: Pixels, person: Pixels, backdrop: Pixels) -> Pixels:
    """The person of a picture before a plain colour."""
    share = person.astype(np.float32) / np.float32(255)
    behind = np.broadcast_to(backdrop, picture.shape).copy()
    return np.asarray(cv2.blendLinear(picture, behind, share, 1 - share))


def moved(crop: Matrix, rng: np.random.Generator) -> Matrix:
    """(2, 3): `crop` turned, enlarged and shifted a little about its middle."""
    centre = (SIDE - 1) / 2
    turn = np.vstack(
        [cv2.getRotationMatrix2D((centre, centre), rng.normal(0, ANGLE), math.exp(rng.normal(0, ZOOM))), [0, 0, 1]]
    )
    turn[:2, 2] += rng.normal(0, SHIFT * SIDE, 2)
    return np.asarray((turn @ np.vstack([crop, [0, 0, 1]]))[:2])


def exposure(rng: np.random.Generator) -> Pixels:
    """(256,): another gamma and gain."""
    values = np.linspace(0, 1, 256) ** math.exp(rng.normal(0, 0.15)) * rng.uniform(0.88, 1.04)
    return np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)


def collate(samples: list[Any]) -> dict[str, Tensor]:
    """A batch: pictures and sources (N, 3, S, S), labels (N, S, S), backdrops (N, 3), all uint8."""
    return {
        "pictures": _stacked([sample.picture for sample in samples]).permute(0, 3, 1, 2),
        "labels": _stacked([sample.labels for sample in samples]),
        "backdrops": _stacked([sample.backdrop for sample in samples]),
        "sources": _stacked([sample.source for sample in samples]).permute(0, 3, 1, 2),
        "source_labels": _stacked([sample.source_labels for sample in samples]),
    }


def _stacked(arrays: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
