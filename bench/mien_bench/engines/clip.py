"""The clip that all engines are given: crops of its face, the calmest first, which is the picture that moves, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.errors import SettingError
from mien.plane import placed
from mien_bench.quality.clips import calmest, watch
from mien_bench.quality.regions import REGIONS, crop_of, cut
from mien_bench.quality.scores import MEASURES, score
from mien_bench.quality.summary import BETTER, UNITS
from mien_bench.results import Row

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

EVERY = 10
"""Frames of the clip from one that is taken to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """Crops in one place of the clip."""

    source: Pixels
    """(256, 256, 3): the calmest."""
    frames: Pixels
    """(N, 256, 256, 3), the source first."""
    landmarks: tuple[Array, ...]
    """(478, 3) of each frame, in its pixels."""

    def write(self, folder: Path) -> None:
        """Write `source.npy` and `frames.npy`."""
        np.save(folder / "source.npy", self.source)
        np.save(folder / "frames.npy", self.frames)


def driver_of(clip: Path, count: int) -> Driver:
    """`count` frames of a clip, its calmest and others spread over it.

    Raises:
        MienError: the clip cannot be read or shows no face.
        SettingError: fewer than two frames are asked for, or the clip has fewer than asked for.
    """
    seen = watch(clip, EVERY)
    if not 2 <= count <= len(seen.frames):
        raise SettingError(f"frames must be from 2 to {len(seen.frames)} of {clip.name}, got {count}")
    calm = calmest(seen)
    others = [number for number in range(len(seen.frames)) if number != calm]
    places = np.linspace(0, len(others) - 1, count - 1).round().astype(int)
    chosen = [seen.frames[calm], *(seen.frames[others[place]] for place in places)]
    matrix = crop_of(chosen[0].landmarks)
    frames = np.stack([cut(one.pixels, matrix) for one in chosen])
    return Driver(frames[0], frames, tuple(placed(one.landmarks, matrix) for one in chosen))


def scores(driver: Driver, answers: Pixels) -> Iterator[Row]:
    """Self-reenactment: answers (N, H, W, 3) beside the frames themselves, which they ought to be."""
    side = driver.source.shape[0]
    values = np.array(
        [
            score(resized(answer, side, side), truth, landmarks, driver.landmarks[0])
            for answer, truth, landmarks in zip(answers[1:], driver.frames[1:], driver.landmarks[1:], strict=True)
        ]
    )
    for m, measure in enumerate(MEASURES):
        for r, region in enumerate(REGIONS):
            seen = tuple(value for value in values[:, m, r].tolist() if np.isfinite(value))
            if seen:
                yield Row(f"{measure}, {region}", UNITS[measure], seen, BETTER[measure], each="frame")
