"""Drivers as the engine sees them, frame by frame, and their frames that matter: calm ones, and guides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import mien
from mien.config import ReenactSettings
from mien.errors import FaceError
from mien.face.measures import channels_over_time
from mien.face.motion import Motion
from mien.frame import Frame
from mien.motion.neutral import Neutral, estimate, sight
from mien.portrait.portrait import Portrait
from mien.stages import open_stages
from mien_bench.fidelity.points68 import UNITS, read_mesh
from mien_bench.quality.clips import CALM_UNITS

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CALM: Final = 5
"""Frames whose median is a person's calm face."""
APART: Final = 0.3
"""Seconds between two guides, at least: neighbours say the same."""
MOST_TURN: Final = 25.0
"""Degrees of yaw or pitch above which a frame is no guide: landmarkers guess what they do not see."""


@dataclass(frozen=True)
class Driver:
    """A clip that was sent through the stages up to motion."""

    name: str
    path: Path
    seconds: tuple[float, ...]
    """The time of each frame."""
    landmarks: tuple[Array | None, ...]
    """(478, 3) of each frame in its pixels, None where no face was found."""
    motions: tuple[Motion | None, ...]

    @cached_property
    def channels(self) -> Array:
        """(N, 5): `mien.face.measures.CHANNELS`, NaN without a face."""
        return channels_over_time(self.landmarks)

    @cached_property
    def units(self) -> Array:
        """(N, 12): distances of action units as the mesh reads them, NaN without a face."""
        blank = np.full(len(UNITS), np.nan)
        return np.array([blank if one is None else read_mesh(one).units for one in self.landmarks])

    @cached_property
    def neutral(self) -> Neutral:
        """The driver's, over all frames."""
        return estimate([sight(one) for one in self.landmarks if one is not None])

    @cached_property
    def calm(self) -> list[int]:
        """Numbers of the frames with a face, the calmest first: a closed mouth, open eyes, the usual pose."""
        seen = np.flatnonzero(np.isfinite(self.channels[:, 0]))
        usual = np.median(self.channels[seen], axis=0)
        usual[0], usual[1] = self.channels[seen, 0].min(), np.percentile(self.channels[seen, 1], 65)
        unrest = (np.abs(self.channels[seen] - usual) / CALM_UNITS).sum(axis=1)
        return [int(number) for number in seen[np.argsort(unrest, kind="stable")]]

    def spread(self, count: int) -> list[int]:
        """At most `count` numbers of frames with a face, spread evenly."""
        seen = np.flatnonzero(np.isfinite(self.channels[:, 0]))
        wanted = min(count, len(seen))
        return [int(seen[(2 * i + 1) * len(seen) // (2 * wanted)]) for i in range(wanted)]


def watch(path: Path, anyone: Portrait, seconds: float | None = None) -> Driver:
    """Send a clip, or its first `seconds`, through the stages up to motion; any portrait does, since none of these
    stages looks at it.

    Raises:
        SourceError: the clip cannot be read.
        FaceError: no frame has a face.
    """
    times: list[float] = []
    landmarks: list[Array | None] = []
    motions: list[Motion | None] = []
    with (
        mien.capture.open(path, duration=seconds) as source,
        open_stages((anyone,), source, ReenactSettings(model="warp")) as stages,
    ):
        for frame in source:
            if isinstance(frame, Frame):
                face = stages.parse(frame)
                times.append(frame.seconds)
                landmarks.append(None if face is None else face.landmarks)
                motions.append(stages.motion(face, frame.seconds))
    if all(found is None for found in landmarks):
        raise FaceError(f"{path}: expected a face, got none in {len(landmarks)} frames; take another driver")
    return Driver(path.stem, path, tuple(times), tuple(landmarks), tuple(motions))


def frames_of(path: Path, numbers: Iterable[int]) -> dict[int, Pixels]:
    """The frames (H, W, 3) of a clip with these numbers; those that it does not have are left out.

    Raises:
        SourceError: it cannot be read.
    """
    wanted = set(numbers)
    last = max(wanted, default=-1)
    found: dict[int, Pixels] = {}
    with mien.capture.open(path) as source:
        for number, frame in enumerate(item for item in source if isinstance(item, Frame)):
            if number in wanted:
                found[number] = np.ascontiguousarray(frame.pixels[..., :3])
            if number >= last:
                break
    return found


def active_frames(driver: Driver, count: int) -> list[int]:
    """At most `count` numbers of frames that do something: for each action unit in turn the frame that is farthest from
    the calm face in it, and not within `APART` of one that was chosen. The mesh chooses, which is none of the judges.
    """
    away = np.abs(driver.units - np.median(driver.units[driver.calm[:CALM]], axis=0))
    turned = np.abs(driver.channels[:, 2:4]).max(axis=1)
    free = np.isfinite(away).all(axis=1) & (turned < MOST_TURN)
    times = np.array(driver.seconds)
    chosen: list[int] = []
    for turn in range(count * len(UNITS)):
        unit = np.where(free, away[:, turn % len(UNITS)], 0.0)
        number = int(np.argmax(unit))
        if unit[number] > 0 and len(chosen) < count:
            chosen.append(number)
            free &= np.abs(times - times[number]) >= APART
    return sorted(chosen)


def median_of(readings: Sequence[Array]) -> Array:
    """The median over the first axis; NaN where there is none."""
    return np.median(np.array(readings), axis=0) if readings else np.full(len(UNITS), np.nan)
