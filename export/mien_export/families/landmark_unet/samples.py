"""Triplets to learn from: three views of one portrait with their landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien.face.points68 import MIRROR
from mien_export.data.views import Views, load
from mien_export.train.course import Raw

Pixels = NDArray[np.uint8]

PHOTOGRAPHED: Final = 0.6
"""Share of triplets whose target must be the photograph: of other views the warp has made mouths and eyes."""
SOURCE, BETWEEN, TARGET = 0, 1, 2
"""Places in a triplet."""


@dataclass(frozen=True, slots=True, eq=False)
class Triplet:
    """Source, what lies between, target."""

    pictures: Pixels
    """(3, S, S, 3)."""
    points: NDArray[np.float32]
    """(3, 68, 2) in shares of the side."""


@dataclass(frozen=True)
class Triplets:
    """Triplets by number, the same for the same seed; all views of a triplet are mirrored and lit alike."""

    place: Path
    """Of the views, as `mien_export.data.views.save` wrote them."""
    seed: int

    @cached_property
    def views(self) -> Views:
        """All of them."""
        return load(self.place)

    def __call__(self, number: int) -> Triplet:
        """Triplet `number`."""
        rng = np.random.default_rng([self.seed, number])
        views = self.views
        index = int(rng.integers(len(views)))
        order = rng.permutation(views.pictures.shape[1])
        if rng.random() < PHOTOGRAPHED:
            order = np.array([*order[order > 0][:TARGET], 0])
        chosen = order[: TARGET + 1]
        triplet = Triplet(_exposure(rng)[views.pictures[index, chosen]], views.points[index, chosen])
        return mirrored(triplet) if rng.random() < 0.5 else triplet


def mirrored(triplet: Triplet) -> Triplet:
    """All three as a mirror shows them."""
    points = triplet.points[:, list(MIRROR)].copy()
    points[..., 0] = 1 - points[..., 0]
    return Triplet(np.ascontiguousarray(triplet.pictures[:, :, ::-1]), points)


def collate(triplets: list[Triplet]) -> Raw:
    """A batch: pictures (N, 3, S, S, 3) uint8 and points (N, 3, 68, 2)."""
    return {
        "pictures": torch.from_numpy(np.stack([triplet.pictures for triplet in triplets])),
        "points": torch.from_numpy(np.stack([triplet.points for triplet in triplets])),
    }


def _exposure(rng: np.random.Generator) -> Pixels:
    """(256,): another gamma and gain."""
    values = np.linspace(0, 1, 256) ** math.exp(rng.normal(0, 0.15)) * rng.uniform(0.88, 1.05)
    return np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
