"""Portraits of the test split of a folder of faces: what no training has seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.capture import image
from mien.errors import SourceError

Array = NDArray[np.float64]

SPLIT = "test"
MOST_PADDING = 0.10
"""Share of a picture outside of its photograph, above which it is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """One photograph."""

    name: str
    identity: str
    """A number that stands for the person in this run; nothing that names anyone is kept."""
    pixels: NDArray[np.uint8]
    """(H, W, 3)."""
    landmarks: Array
    """(478, 3) in pixels."""


def unseen_faces(folder: Path, limit: int | None = None) -> Iterator[Photograph]:
    """The test split's portraits, those that are mostly photograph, at most `limit`, in the order of the manifest.

    `folder` holds `manifest.csv` (file, split, pad_frac, landmarks_row and an `identity*` column), `landmarks.npz`
    (`landmarks` (N, 478, 3) as shares of the side) and the pictures.

    Raises:
        SourceError: it does not, or has no such portrait.
    """
    rows = [row for row in _manifest(folder) if row["split"] == SPLIT and float(row["pad_frac"]) < MOST_PADDING]
    if not rows:
        raise SourceError(f"{folder}: expected portraits of split {SPLIT!r}, got none; name a folder that has some")
    with np.load(folder / "landmarks.npz") as data:
        landmarks = data["landmarks"]
    column = next(name for name in rows[0] if name.startswith("identity"))
    numbers: dict[str, int] = {}
    for row in rows[:limit]:
        pixels = image.read(folder / row["file"])
        number = numbers.setdefault(row[column], len(numbers))
        points = landmarks[int(row["landmarks_row"])].astype(np.float64) * max(pixels.shape[:2])
        yield Photograph(f"face {number}", f"face {number}", pixels, points)


def _manifest(folder: Path) -> list[dict[str, str]]:
    path = folder / "manifest.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise SourceError(
            f"{path}: expected the list of a folder of faces, could not read it ({error.strerror}); name one by --data"
        ) from error
