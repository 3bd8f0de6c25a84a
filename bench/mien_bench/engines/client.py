"""The client side of an engine in a process of its own, and the clip that all engines animate."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import mien_bench
from mien.capture.image import resized
from mien.errors import BackendError, SettingError
from mien.plane import placed
from mien_bench.quality.clips import calmest, read_clip
from mien_bench.quality.regions import REGIONS, crop_of, cut
from mien_bench.quality.self_reenactment import MEASURES, score
from mien_bench.quality.summary import BETTER, UNITS
from mien_bench.results import Row

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
EVERY = 10
"""Frames of the clip from one that is taken to the next."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an engine reports when it is ready."""

    about: str
    trained: bool
    prepared_ms: float
    size: tuple[int, int]
    """Of its answers."""
    moved: int
    """Grey levels by which answers to different frames differ at most."""
    contrast: int
    """Grey levels from the darkest to the brightest of an answer."""


class EngineProcess:
    """Starts an adapter (a module) and speaks to it; ends it on leaving."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], python: str = sys.executable) -> None:
        self._name = name
        self._command = [python, "-m", module, *arguments]

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            BackendError: it does not get ready; with what it said last.
        """
        root = str(Path(mien_bench.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        )
        try:
            said = self._answer()
        except BaseException:  # also an interrupt
            self.__exit__(None, None, None)
            raise
        width, height = said["size"]
        self.introduction = Introduction(
            said["about"], said["trained"], said["prepared_ms"], (width, height), said["moved"], said["contrast"]
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def round(self, keep: Path | None = None) -> list[float]:
        """Milliseconds for each frame; the answers are kept as .npy where asked.

        Raises:
            BackendError: the engine broke.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; its last words are reported below
            self._process.stdin.write("round\n" if keep is None else f"keep {keep}\n")
            self._process.stdin.flush()
        times: list[float] = self._answer()["ms"]
        return times

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        assert self._process.stderr is not None
        last = (self._process.stderr.read().strip().splitlines() or ["nothing"])[-1]
        raise BackendError(f"{self._name}: expected it to run, got {last!r}; see what its checkout needs")


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """Crops of the clip at a fixed position."""

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
    seen = read_clip(clip, EVERY)
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
    """Self-reenactment: outputs (N, H, W, 3) compared with the frames themselves."""
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
