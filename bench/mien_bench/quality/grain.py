"""Grain: whether what is painted is as fine as the skin around it, in portraits of any size, pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.people import Guide, Reference, motion_to
from mien_bench.quality.picture_measures import FLOOR, averages, fine_energy
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.regions import REGIONS, crop_of, cut, full_side, regions_of
from mien_bench.quality.summary import mean_of
from mien_bench.results import Fact, Row, Table

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

PAINTED: Final = ("inner_mouth", "lips", "eyes")
OWN: Final = "the portrait itself"


@dataclass(frozen=True, slots=True, eq=False)
class Grain:
    """One portrait."""

    portrait: str
    side: int
    """Pixels of the generator's crop in it: above 256 a painted crop is enlarged."""
    octaves: dict[str, Array]
    """By model, and of the portrait itself, (3,): octaves of fine energy in `PAINTED` above the skin's of the same
    picture; NaN where it shows none."""


def grains(
    references: Sequence[Reference], guides: Sequence[Guide], models: Sequence[str], threads: int | None = None
) -> list[Grain]:
    """Every portrait driven by every guide, with each model, without any picture of a mouth.

    Raises:
        MienError: a model cannot be opened.
    """
    out = []
    for reference in references:
        portrait = reference.portraits[0]
        found = {OWN: octaves(portrait.pixels, portrait.landmarks)}
        for model in models:
            rows = []
            with open_puppet(portrait, settings_for(model, "none", threads=threads)) as puppet:
                for number, guide in enumerate(guides):
                    shown = puppet(motion_to(guide.landmarks, guide.neutral, portrait, None), number)
                    rows.append(octaves(shown.pixels, shown.landmarks))
            found[model] = mean_of(np.array(rows))
        out.append(Grain(reference.identity, full_side(portrait.landmarks), found))
    return out


def octaves(pixels: Pixels, landmarks: Array) -> Array:
    """(3,): of fine energy in `PAINTED` above the skin's, for a picture (H, W, 3) with landmarks (478, 3)."""
    side = full_side(landmarks)
    matrix = crop_of(landmarks, side)
    regions = regions_of(landmarks, landmarks, matrix, (pixels.shape[1], pixels.shape[0]), side)
    energy = averages(fine_energy(cut(pixels, matrix, side)), regions) + FLOOR
    painted = [REGIONS.index(name) for name in PAINTED]
    return np.asarray(np.log2(energy[painted] / energy[REGIONS.index("face")]))


def table(found: Sequence[Grain]) -> Table:
    """For reading."""
    cells = [
        (f"{one.portrait} ({one.side}), {Path(model).name}", *map(_cell, values))
        for one in found
        for model, values in one.octaves.items()
    ]
    title = "Grain: octaves of fine energy above the skin's of the same picture, pixel for pixel; mouth: none"
    return Table(title, ("portrait (side of the crop)", *PAINTED), tuple(cells))


def rows(found: Sequence[Grain]) -> list[Row]:
    """A row for each model and region, with a value for each portrait that shows it; the portrait's own beside."""
    out = []
    for model in dict.fromkeys(model for one in found for model in one.octaves):
        condition: dict[str, Fact] = {"on": "portraits", "model": Path(model).name, "mouth": "none"}
        for place, region in enumerate(PAINTED):
            values = (float(one.octaves[model][place]) for one in found if model in one.octaves)
            seen = tuple(value for value in values if np.isfinite(value))
            if seen:
                out.append(Row(f"grain, {region}", "octaves", seen, "neither", condition, each="portrait"))
    return out


def _cell(value: float) -> str:
    return f"{value:+.2f}" if np.isfinite(value) else "-"
