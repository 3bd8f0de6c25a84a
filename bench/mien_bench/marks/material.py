"""Pieces of video to be marked, and pictures without a mark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien import capture
from mien.config import ReenactSettings
from mien.frame import Frame
from mien.portrait.prepare import prepare
from mien_bench.marks.changes import RATE
from mien_bench.material import PICTURES

Pixels = NDArray[np.uint8]

_SHARES: Final = 0.6, 1.0
"""Of a picture's shorter side that is cut out for a look."""


def pieces(clips: Sequence[Path], size: int, seconds: float) -> Iterator[tuple[str, list[Pixels]]]:
    """Pieces (N, size, size, 3) of clips; what is left at an end and shorter is played to and fro."""
    wanted = round(seconds * RATE)
    for clip in clips:
        frames = _squares(clip, size)
        number = 0
        while piece := list(islice(frames, wanted)):
            if len(piece) < wanted and number:
                break
            number += 1
            to_and_fro = cycle([*piece, *piece[-2:0:-1]])
            yield f"{clip.stem} {number}", list(islice(to_and_fro, wanted))


def driven(portraits: Sequence[Path], driver: Path, size: int, seconds: float) -> Iterator[tuple[str, list[Pixels]]]:
    """The same of portraits that a driver moves, without a network and without marks."""
    settings = replace(ReenactSettings(model="warp", size=size), mark=False, invisible_mark=False)
    for picture in portraits:
        frames = mien.animate(prepare(picture, size=size), capture.open(driver), settings)
        made = [_square(frame.pixels, size) for frame in islice(frames, round(seconds * RATE))]
        frames.close()
        to_and_fro = cycle([*made, *made[-2:0:-1]])
        yield f"{picture.stem} driven", list(islice(to_and_fro, round(seconds * RATE)))


def unmarked(clips: Sequence[Path], count: int, size: int, seed: int = 0) -> Iterator[Pixels]:
    """Pictures (size, size, 3): frames of clips and faces of `$MIEN_DATA`, each a part at random, again and again."""
    chance = np.random.default_rng(seed)
    given = 0
    while given < count:
        before = given
        for pixels in _all(clips):
            if given == count:
                return
            given += 1
            height, width = pixels.shape[:2]
            side = int(min(height, width) * chance.uniform(*_SHARES))
            top, left = int(chance.integers(height - side + 1)), int(chance.integers(width - side + 1))
            part = pixels[top : top + side, left : left + side]
            yield np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        if given == before:
            return


def _all(clips: Sequence[Path]) -> Iterator[Pixels]:
    for clip in clips:
        with capture.open(clip) as source:
            yield from (np.ascontiguousarray(item.pixels[..., :3]) for item in source if isinstance(item, Frame))
    folder = Path(os.environ.get("MIEN_DATA", os.devnull)) / "faces"
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES):
        found = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if found is not None:
            yield np.ascontiguousarray(found[..., ::-1])


def _squares(clip: Path, size: int) -> Iterator[Pixels]:
    with capture.open(clip) as source:
        yield from (_square(item.pixels, size) for item in source if isinstance(item, Frame))


def _square(pixels: Pixels, size: int) -> Pixels:
    """The middle of a picture."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side, :3])
    how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)
