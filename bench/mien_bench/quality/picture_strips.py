"""Answers side by side: strips for the page, and montages for a developer's own eyes, which hold faces of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import mien
from mien.config import ReenactSettings
from mien.emit.images import PictureEncoder
from mien.errors import SettingError
from mien.face.measures import CHANNELS
from mien.frame import Frame
from mien.machine import outputs
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare, sized
from mien_bench.quality.puppet import RATE, open_puppet, settings_for
from mien_bench.quality.regions import crop_of, cut
from mien_bench.quality.self_reenactment import Moment, Scene
from mien_bench.results import Strip
from mien_bench.roundtrip.reenacted import Performance, perform

Pixels = NDArray[np.uint8]
MOMENTS: Final = {"mouth": "mouth widest", "eyes": "eyes most shut", "yaw": "turned most", "pitch": "nodded most"}
"""Channels whose extreme is shown, and what it is called."""
CELL: Final = 192
"""Pixels of a picture's side."""
MARGIN: Final = 4
GROUND: Final = 128
SIZE: Final = 512
MOST: Final = 6
"""Portraits in a strip."""


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
        with outputs.as_sink_errors(str(folder)):
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


def strips(clip: Path, portraits: Sequence[Path], models: Sequence[str], threads: int | None = None) -> list[Strip]:
    """A strip for each model: the driver's extremes above, a line for each portrait below, its picture first.

    Raises:
        MienError: material cannot be read, or a model not be opened.
    """
    people = [prepare(path, size=SIZE)[0] for path in portraits]
    performance = perform(clip, people[0], ReenactSettings(threads=threads))
    moments = extremes(performance)
    driver = _frames(clip, list(moments.values()))
    out = []
    for model in models:
        lines = [[None, *driver]] + [_line(one, performance, list(moments.values()), model, threads) for one in people]
        labels = ("portrait", *moments)
        about = f"{clip.stem} above; {', '.join(path.stem for path in portraits)} below"
        out.append(Strip(f"Strip: {Path(model).name}", labels, jpeg(grid(lines)), about))
    return out


def extremes(performance: Performance) -> dict[str, int]:
    """What is shown and the number of the frame that shows it most."""
    channels = performance.channels
    usual = np.nanmedian(channels, axis=0)
    found: dict[str, int] = {}
    for name, words in MOMENTS.items():
        away = channels[:, CHANNELS.index(name)] - usual[CHANNELS.index(name)]
        away = -away if name == "eyes" else away if name == "mouth" else np.abs(away)
        found[words] = int(np.nanargmax(away))
    return found


def grid(lines: Sequence[Sequence[Pixels | None]]) -> Pixels:
    """Pictures of any size in lines and columns, each fitted into a cell; None leaves it empty."""
    columns = max(len(line) for line in lines)
    step = CELL + MARGIN
    out = np.full((len(lines) * step - MARGIN, columns * step - MARGIN, 3), GROUND, np.uint8)
    for row, line in enumerate(lines):
        for column, picture in enumerate(line):
            if picture is not None:
                _put(out[row * step :, column * step :], picture)
    return out


def _put(place: Pixels, picture: Pixels) -> None:
    """Into the middle of the first cell of `place`."""
    small = sized(picture, None, CELL)[:CELL, :CELL]
    height, width = small.shape[:2]
    top, left = (CELL - height) // 2, (CELL - width) // 2
    place[top : top + height, left : left + width] = small


def _line(
    portrait: Portrait, performance: Performance, numbers: Sequence[int], model: str, threads: int | None
) -> list[Pixels | None]:
    with open_puppet(portrait, settings_for(model, "driver", threads=threads)) as puppet:
        return [portrait.pixels, *(puppet(performance.motions[number], number).pixels.copy() for number in numbers)]


def _frames(clip: Path, numbers: Sequence[int]) -> list[Pixels | None]:
    wanted: dict[int, Pixels] = {}
    with mien.capture.open(clip) as source:
        for number, frame in enumerate(item for item in source if isinstance(item, Frame)):
            if number in numbers:
                wanted[number] = frame.pixels.copy()
    return [wanted.get(number) for number in numbers]
