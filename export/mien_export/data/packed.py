"""Precomputed training pairs in files, for machines whose processors are slower than the GPU's training.

A folder of numbered files of `CHUNK` pairs each, zipped arrays by the names of a pair's fields.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError
from mien_export.data.pairs import Pair

CHUNK: Final = 16
"""Pairs of a file."""
ABOUT: Final = "about.json"

Arrays = dict[str, NDArray[Any]]


class Packed:
    """Callable: number -> pair, over and over again from the first. Pickles; the last file read is kept."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        """`about`: what the pairs must have been made for.

        Raises:
            SettingError: there are none, or they were made for something else.
        """
        self._folder = folder
        said = _read_about(folder)
        for name, value in about.items():
            if said.get(name) != value:
                raise SettingError(
                    f"{folder} holds pairs whose {name} is {said.get(name)}, asked for {value}; pack others"
                )
        self.count = int(said["count"])
        self._kept: tuple[int, Arrays] | None = None

    def __call__(self, number: int) -> Pair:
        """The pair of this number.

        Raises:
            SettingError: a file is missing or broken.
        """
        chunk, place = divmod(number % self.count, CHUNK)
        if self._kept is None or self._kept[0] != chunk:
            self._kept = chunk, _read(self._folder / _name(chunk))
        return Pair(**{name: values[place] for name, values in self._kept[1].items()})

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}


def pack(
    folder: Path,
    sample: Callable[[int], Pair],
    count: int,
    about: dict[str, Any],
    told: Callable[[int], None],
    workers: int = 1,
) -> None:
    """Write the first `count` pairs, rounded up to whole files; goes on where it was stopped.

    `told` is called with how many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = -(-count // CHUNK)
    lacking = [chunk for chunk in range(chunks) if not (folder / _name(chunk)).exists()]
    for done, _ in enumerate(_written(partial(_write, folder, sample), lacking, workers), chunks - len(lacking) + 1):
        told(done * CHUNK)
    beside = folder / f"{ABOUT}.part"
    beside.write_text(json.dumps({**about, "count": chunks * CHUNK}), encoding="utf-8")
    beside.replace(folder / ABOUT)


def _written(write: Callable[[int], None], chunks: list[int], workers: int) -> Iterator[None]:
    if workers < 2:
        yield from map(write, chunks)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(write, chunks, chunksize=8)


def _write(folder: Path, sample: Callable[[int], Pair], chunk: int) -> None:
    pairs = [sample(number) for number in range(chunk * CHUNK, (chunk + 1) * CHUNK)]
    beside = (folder / _name(chunk)).with_suffix(".part")
    arrays: Arrays = {field.name: np.stack([getattr(pair, field.name) for pair in pairs]) for field in fields(Pair)}
    with beside.open("wb") as file:
        np.savez_compressed(file, **arrays)
    beside.replace(folder / _name(chunk))


def _read(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as data:
            return {field.name: data[field.name] for field in fields(Pair)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SettingError(f"{path} holds no pairs that can be read ({error}); pack them again") from error


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SettingError(f"{folder}: expected packed pairs with an {ABOUT}, got none ({error})") from error


def _name(chunk: int) -> str:
    return f"{chunk:06d}.npz"


def part_folder(folder: Path, part: int) -> Path:
    """Where the pairs of a part of a run lie."""
    return folder / f"part{part}"
