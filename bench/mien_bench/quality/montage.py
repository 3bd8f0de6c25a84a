"""Answers side by side for a developer's own eyes: faces of people, so never inside of a repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.emit.images import PictureEncoder
from mien.errors import SettingError
from mien.frame import Frame
from mien.machine import outputs
from mien_bench.quality.puppet import RATE
from mien_bench.quality.regions import crop_of, cut
from mien_bench.quality.scene import Moment, Scene

Pixels = NDArray[np.uint8]


class Montage:
    """Callable that keeps a picture of each answer: the portrait's crop, the truth's, the answer's."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            SettingError: it lies in a repository.
            SinkError: it cannot be made.
        """
        place = folder.resolve()
        repository = next((above for above in (place, *place.parents) if (above / ".git").exists()), None)
        if repository is not None:
            raise SettingError(
                f"{folder}: expected a folder outside of any repository, got one inside of {repository.name}; "
                "pictures of people are not to be committed, choose another"
            )
        with outputs.told(str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
        outputs.need_folder(folder, str(folder))
        self._folder = folder

    def __call__(self, scene: Scene, moment: Moment, model: str, condition: str, answer: Pixels) -> None:
        truth = crop_of(moment.landmarks)
        row = [
            cut(scene.portrait.pixels, crop_of(scene.portrait.landmarks)),
            cut(moment.truth, truth),
            cut(answer, truth),
        ]
        self.keep(f"{moment.name}-{condition}-{Path(model).name}", row)

    def keep(self, name: str, row: list[Pixels]) -> None:
        """Keep pictures (H, W, 3) of one height side by side as a JPEG file."""
        write_jpeg(self._folder / f"{name.replace(' ', '')}.jpg", np.concatenate(row, axis=1))


def write_jpeg(path: Path, pixels: Pixels) -> None:
    """Write a picture (H, W, 3).

    Raises:
        SinkError: it cannot be written.
    """
    outputs.write(path, jpeg(pixels))


def jpeg(pixels: Pixels) -> bytes:
    """A picture (H, W, 3) as a file."""
    picture = Frame(np.ascontiguousarray(pixels), 0, 1 / RATE)
    return PictureEncoder("jpeg", {}, "picture").encode(picture)
