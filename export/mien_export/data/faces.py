"""A folder of aligned portraits with their landmarks.

It holds `manifest.csv` (columns file, split, pad_frac and an identity, first of those named `identity*`),
`landmarks.npz` (`files`, `landmarks` (n, 478, 3) as shares of the picture's side) and the pictures that the
manifest names.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import SettingError, SourceError

MOST_PADDING = 0.10
"""Share of a picture outside of its photograph, above which it is left out."""


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    identity: str
    landmarks: int


class Faces:
    """Portraits of one split. Pictures are read when asked for; nothing is kept but the landmarks."""

    def __init__(self, folder: Path, split: str | None = "train", most_padding: float = MOST_PADDING) -> None:
        """Reads `folder`; `split` None takes all rows.

        Raises:
            SettingError: the folder is not of this layout or holds nothing of that split.
        """
        self.folder = Path(folder)
        self._landmarks, index = _read_landmarks(self.folder)
        self._rows = [
            _Row(row["file"], row[_identity_column(row)], index[Path(row["file"]).name])
            for row in _read_manifest(self.folder)
            if (split is None or row["split"] == split)
            and float(row.get("pad_frac") or 0) < most_padding
            and Path(row["file"]).name in index
        ]
        if not self._rows:
            raise SettingError(f"{self.folder} holds no portraits of split {split!r}; see its manifest.csv")

    @property
    def count(self) -> int:
        """How many portraits there are."""
        return len(self._rows)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) RGB.

        Raises:
            SourceError: the file is missing or broken.
        """
        path = self.folder / self._rows[index].file
        if not path.is_file():
            raise SourceError(f"{path} is named in manifest.csv but missing")
        try:
            with Image.open(path) as image:
                return np.asarray(image.convert("RGB"))
        except OSError as error:
            raise SourceError(f"{path} is no readable picture: {error}") from error

    def landmarks(self, index: int, side: int = 256) -> NDArray[np.float64]:
        """(478, 3) in pixels of a picture with this side; z in the same scale."""
        return np.asarray(self._landmarks[self._rows[index].landmarks], dtype=np.float64) * side

    def identity(self, index: int) -> str:
        """Whose portrait it is."""
        return self._rows[index].identity


def _read_manifest(folder: Path) -> list[dict[str, str]]:
    path = folder / "manifest.csv"
    if not path.is_file():
        raise SettingError(f"{folder} is no folder of faces: it lacks manifest.csv; give --data a folder that has one")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _read_landmarks(folder: Path) -> tuple[NDArray[np.float16], dict[str, int]]:
    path = folder / "landmarks.npz"
    if not path.is_file():
        raise SettingError(f"{folder} is no folder of faces: it lacks landmarks.npz")
    with np.load(path) as data:
        files, landmarks = data["files"], data["landmarks"]
    if landmarks.ndim != 3 or landmarks.shape[1:] != (478, 3):
        raise SettingError(f"{path}: expected landmarks of shape (n, 478, 3), got {landmarks.shape}")
    return landmarks, {str(name): i for i, name in enumerate(files)}


def _identity_column(row: dict[str, str]) -> str:
    return next((name for name in row if name.startswith("identity")), "file")
