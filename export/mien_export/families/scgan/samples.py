"""Samples of an avatar maker: a real portrait, and what a picture is to be made for.

Half are made for the portrait itself, a quarter for its map with the face and the colours of somebody who does not
exist, and a quarter for somebody who does not exist at all, as in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.face.pose import fit_pose
from mien.face.traits import INDEX
from mien.nobody.colours import table
from mien.nobody.drawing import MeanFace, label_map, painted, scaled
from mien.nobody.view import view_matrix
from mien.parsing.maps import FINER, draw_parts, without_parts
from mien.plane import placed
from mien_export.families.parsing.samples import MIRRORED_LABELS
from mien_export.families.scgan import prepared
from mien_export.families.scgan.people import People
from mien_export.families.scgan.prepared import Prepared
from mien_export.families.spade_video.code import SIDE
from mien_export.families.spade_video.samples import View, backdrop_of, before, exposure, moved

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

PATTERN: Final = ("own", "own", "other", "invented")
"""What samples are made for, by their numbers."""
FREE: Final = [INDEX["beard"], INDEX["grey-hair"]]
"""Traits that a map does not decide."""
STRENGTH: Final = 0.9
"""Standard deviation of the mixtures of people who are invented."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A portrait, and what is asked for."""

    picture: Pixels
    """(S, S, 3) before a plain backdrop."""
    labels: Pixels
    """(2 S, 2 S): its map."""
    traits: Floats
    """(9,): its own."""
    asked: Pixels
    """(2 S, 2 S)."""
    painted: Pixels
    """(S, S, 3): `asked` in colours, with a coarse face."""
    colours: Floats
    """(19, 3) in 0..1: of the classes, as asked."""
    wanted: Floats
    """(9,): traits that are asked for."""


@dataclass(frozen=True)
class Samples:
    """Samples by number, the same for the same seed."""

    place: Path
    """Folder that `mien export people` wrote."""
    seed: int
    side: int
    still: bool = False
    """Whether portraits are taken in their order and as they are, for measures."""

    @cached_property
    def _loaded(self) -> tuple[Prepared, People, MeanFace]:
        portraits, people = prepared.load(self.place)
        return portraits, people, people.frame

    def __call__(self, number: int) -> Sample:
        """Sample `number`."""
        portraits, people, frame = self._loaded
        rng = np.random.default_rng([self.seed, number])
        index = number % len(portraits) if self.still else int(rng.integers(len(portraits)))
        kind = "own" if self.still else PATTERN[number % len(PATTERN)]
        landmarks = portraits.landmarks[index].astype(np.float64)
        matrix = view_matrix(fit_pose(landmarks), SIDE)
        matrix = matrix if self.still else moved(matrix, rng)
        points = scaled(placed(landmarks, matrix), self.side, SIDE)
        labels = self._labels(portraits.labels[index], points, matrix)
        exposed = np.arange(256, dtype=np.uint8) if self.still else exposure(rng)
        own = portraits.pictures[index]
        backdrop = backdrop_of(own, portraits.labels[index], None if self.still else rng)
        plain = exposed[before(own, portraits.mattes[index], backdrop)]
        picture = View(matrix, self.side, mirror=False).picture(plain)
        tones, traits = _exposed(portraits.colours[index], exposed), portraits.traits[index].copy()
        behind = exposed[backdrop].astype(np.float32) / 255
        asked, wanted, texture = labels, traits.copy(), people.face(portraits.textures[index])
        if kind != "own":
            somebody = people.drawn(rng, STRENGTH)
            texture, tones = somebody.texture, somebody.colours
            wanted[FREE] = somebody.traits[FREE]
            if kind == "invented":
                asked, points = label_map(somebody, FINER * self.side), scaled(somebody.landmarks, self.side)
                wanted = somebody.traits
        colours = table(tones, behind)
        sample = Sample(
            picture, labels, traits, asked, painted(asked, points, texture, frame, colours), colours, wanted
        )
        return sample if self.still or rng.uniform() < 0.5 else mirrored(sample)

    def _labels(self, labels: Pixels, points: Array, matrix: Array) -> Pixels:
        """(2 S, 2 S): a portrait's labels in its view, with the parts that landmarks tell."""
        cut = View(matrix, self.side, mirror=False).labels(without_parts(labels), FINER)
        draw_parts(cut, scaled(points, FINER * self.side, self.side), np.array([[1.0, 0, 0], [0, 1, 0]]))
        return cut


def _exposed(colours: Floats, exposed: Pixels) -> Floats:
    """Colours (4, 3) in 0..1 under a table of levels (256,)."""
    return np.asarray(exposed[np.rint(colours * 255).astype(np.uint8)] / 255, np.float32)


def mirrored(sample: Sample) -> Sample:
    """All of a sample in the mirror."""
    traits, wanted = (values.copy() for values in (sample.traits, sample.wanted))
    for values in (traits, wanted):
        values[INDEX["turn"]] = 1 - values[INDEX["turn"]]
    return Sample(
        sample.picture[:, ::-1],
        MIRRORED_LABELS[sample.labels[:, ::-1]],
        traits,
        MIRRORED_LABELS[sample.asked[:, ::-1]],
        sample.painted[:, ::-1],
        sample.colours,
        wanted,
    )


def collate(samples: list[Any]) -> dict[str, Tensor]:
    """A batch, those made for portraits themselves first.

    Pictures and painted maps (N, 3, S, S) and labels (N, 2 S, 2 S), uint8; traits (N, 9) and colours (N, 57) in 0..1.
    """
    size = len(PATTERN)
    order = sorted(range(len(samples)), key=lambda place: PATTERN[place % size] != "own")
    rows = [samples[place] for place in order] if len(samples) % size == 0 else samples
    return {
        "pictures": _stacked([row.picture for row in rows]).permute(0, 3, 1, 2),
        "labels": _stacked([row.labels for row in rows]),
        "traits": _stacked([row.traits for row in rows]),
        "asked": _stacked([row.asked for row in rows]),
        "painted": _stacked([row.painted for row in rows]).permute(0, 3, 1, 2),
        "colours": _stacked([row.colours.ravel() for row in rows]),
        "wanted": _stacked([row.wanted for row in rows]),
    }


def _stacked(arrays: list[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
