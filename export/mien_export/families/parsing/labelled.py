"""Labelled portraits: pictures with their landmarks, mattes and labels, made once and kept in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError, SinkError, reason_of
from mien.machine.atomic import written
from mien.machine.folders import user_cache
from mien_export.data.faces import Faces
from mien_export.families.parsing.label_maker import make_labels
from mien_export.samples.blending import mattes

Pixels = NDArray[np.uint8]

FORMAT: Final = 1
_COLUMNS: Final = ("pictures", "labels", "mattes", "landmarks")


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """N square portraits of one side, with what was made for them."""

    pictures: Pixels
    """(N, S, S, 3) RGB."""
    labels: Pixels
    """(N, S, S): ids of classes, or 255 for unknown."""
    mattes: Pixels
    """(N, S, S): 255 where the person is."""
    landmarks: NDArray[np.float32]
    """(N, 478, 3) in pixels."""

    def __len__(self) -> int:
        return len(self.pictures)


def default_place(split: str) -> Path:
    """The file of a split in the user's cache.

    Raises:
        SettingError: this user has none.
    """
    cache = user_cache()
    if cache is None:
        raise SettingError("labels: expected a home folder to keep them in, got none; give a file")
    return cache / "labels" / f"{split}.npz"


def label_faces(faces: Faces, tell: Callable[[int], None]) -> Labelled:
    """Make labels of all portraits; `tell` takes how many are done.

    Raises:
        SettingError: the portraits are not square and of one side.
        SourceError: a picture is missing or broken.
    """
    pictures = np.stack(list(_pictures(faces)))
    side = pictures.shape[1]
    landmarks = np.stack([faces.landmarks(index, side) for index in range(faces.count)])
    labels, kept = np.empty(pictures.shape[:3], np.uint8), np.empty(pictures.shape[:3], np.uint8)
    shown = (picture / np.float32(255) for picture in pictures)
    for index, matte in enumerate(mattes(shown)):
        labels[index] = make_labels(pictures[index], landmarks[index], matte)
        kept[index] = np.rint(matte * 255)
        tell(index + 1)
    return Labelled(pictures, labels, kept, landmarks.astype(np.float32))


def _pictures(faces: Faces) -> Iterator[Pixels]:
    side = faces.picture(0).shape[0]
    for index in range(faces.count):
        picture = faces.picture(index)
        if picture.shape != (side, side, 3):
            raise SettingError(f"{faces.folder}: expected square pictures of side {side}, got {picture.shape[:2]}")
        yield picture


def save(path: Path, labelled: Labelled) -> None:
    """Write `labelled` to `path`, whole or not at all.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            columns: dict[str, Any] = {name: np.asarray(getattr(labelled, name)) for name in _COLUMNS}
            np.savez_compressed(file, format=FORMAT, **columns)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({reason_of(error)})") from error


def load(path: Path) -> Labelled:
    """What `save` wrote.

    Raises:
        SettingError: it is missing, broken or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["format"]) != FORMAT:
                raise SettingError(f"{path}: expected labels of format {FORMAT}; make them anew (mien export labels)")
            columns = {name: data[name] for name in _COLUMNS}
    except (OSError, ValueError, KeyError) as error:
        raise SettingError(f"{path} is no file of labels ({error}); mien export labels makes one") from error
    return Labelled(**columns)
