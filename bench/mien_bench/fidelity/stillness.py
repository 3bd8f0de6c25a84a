"""Jitter of portraits whose driver is still: a noisy picture that stands, and the stillest second of real clips.

The landmarks are those that the mesh, tracking, finds in the finished pictures, without a codec between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import emit
from mien.config import ReenactSettings
from mien.emit.sink import SinkSettings
from mien.frame import Frame
from mien.parse.parser import Parser
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.drivers import Driver, frames_of, watch
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.summary import mean_interval
from mien_bench.results import Fact, Row, Table
from mien_bench.roundtrip.track_measures import Jitter, jitter

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

RATE: Final = Fraction(30)
SECONDS: Final = 3.0
SETTLING: Final = 1.0
"""Seconds at the beginning that are not counted: filters and tracking come to rest."""
READ, SHOT = 2.0, 0.35
"""Noise of a webcam's sensor in grey levels: of reading, and by the square root of the brightness."""
CRF: Final = 26
"""Of H.264, about a webcam's at 1 Mbit/s."""
STILLS: Final = 3
"""Drivers whose calmest frame is filmed."""
STILLEST: Final = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class StillRun:
    """One portrait under one still driver."""

    portrait: str
    driver: str
    model: str
    given: Jitter
    """Of the driver's landmarks."""
    shown: Jitter
    """Of those found in the output; both in pixels of a picture of 512."""


@dataclass(frozen=True, slots=True, eq=False)
class StillDriver:
    """Frames of a driver, and which of them count."""

    driver: Driver
    numbers: tuple[int, ...]
    counted: slice
    size: int
    """Longer side of its frames in pixels."""


def noisy_still(clip: Driver, anyone: Portrait, seed: int = 0) -> StillDriver:
    """The clip's calmest frame as a webcam films it: every frame has noise of its own, then H.264."""
    picture = frames_of(clip.path, [clip.calm[0]])[clip.calm[0]]
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder) / f"{clip.name}_still.mp4"
        _write_noisy(path, picture, round(SECONDS * RATE), np.random.default_rng(seed))
        driver = watch(path, anyone)
    first = round(SETTLING * RATE)
    return StillDriver(driver, tuple(range(len(driver.motions))), slice(first, None), max(picture.shape[:2]))


def stillest_second(clip: Driver) -> StillDriver | None:
    """The second of a clip in which its face moves least, with some frames before it; None of a clip that is too short
    or loses its face everywhere."""
    times = np.array(clip.seconds)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    length, before = round(STILLEST / step), round(SETTLING / step)
    best: tuple[float, int] | None = None
    for first in range(before, len(times) - length + 1, max(length // 5, 1)):
        faces = clip.landmarks[first - before : first + length]
        if any(face is None for face in faces):
            continue
        track = np.array(clip.landmarks[first : first + length])
        away = float(np.sqrt(((track - track.mean(axis=0))[..., :2] ** 2).sum(axis=2).mean()))
        if best is None or away < best[0]:
            best = away, first
    if best is None:
        return None
    numbers = tuple(range(best[1] - before, best[1] + length))
    size = frames_of(clip.path, [numbers[0]])[numbers[0]].shape[:2]
    return StillDriver(clip, numbers, slice(before, None), max(size))


def measure(
    name: str, portrait: Portrait, still: StillDriver, model: str, threads: int | None = None
) -> StillRun | None:
    """Drive a portrait by a still driver, smoothed as a user sees it; None where a face is lost.

    Raises:
        MienError: the model cannot be opened.
    """
    smooth = ReenactSettings().smooth
    found: list[Array | None] = []
    with (
        open_puppet(portrait, settings_for(model, "driver", smooth=smooth, threads=threads)) as puppet,
        Parser(hints=False) as parser,
    ):
        for place, number in enumerate(still.numbers):
            shown = puppet(still.driver.motions[number], place)
            face = parser(Frame(np.ascontiguousarray(shown.pixels), place, 1 / RATE))
            found.append(None if face is None else face.landmarks)
    given = [still.driver.landmarks[number] for number in still.numbers]
    theirs, ours = ([one for one in track[still.counted] if one is not None] for track in (given, found))
    if min(len(theirs), len(ours)) < 2:
        return None
    return StillRun(
        name,
        still.driver.name,
        Path(model).name,
        jitter(np.array(theirs), still.size),
        jitter(np.array(ours), max(portrait.size)),
    )


def _write_noisy(path: Path, picture: Pixels, count: int, random: np.random.Generator) -> None:
    height, width = (side - side % 2 for side in picture.shape[:2])
    settings = SinkSettings(width, height, RATE, 1 / RATE)
    with emit.open(str(path), settings, mark=False, quality=emit.VideoQuality(crf=CRF)) as sink:
        for number in range(count):
            sink.write(Frame(with_sensor_noise(picture[:height, :width], random), number, 1 / RATE))


def with_sensor_noise(picture: Pixels, random: np.random.Generator) -> Pixels:
    """A picture (H, W, 3) with the noise of one exposure: Gaussian, its variance that of reading and of photons."""
    values = picture.astype(np.float32)
    deviation = np.sqrt(READ**2 + SHOT**2 * values)
    noisy = values + deviation * random.standard_normal(values.shape, np.float32)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), dtype=np.uint8)


def table(found: Sequence[StillRun], title: str) -> Table:
    """A line for each driver and model, means over portraits."""
    lines = []
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        for driver in dict.fromkeys(one.driver for one in own):
            lines.append((f"{driver}, {model}", *_cells([one for one in own if one.driver == driver])))
        lines.append((f"all, {model}", *_cells(own)))
    columns = ("", "driver: mean", "driver: step", "output: mean", "output: step", "output: worst landmark")
    notes = (
        (
            "Root mean square over time in pixels of a picture of 512: about each landmark's own place (mean, worst), "
            "and from frame to frame (step); means over pairs with 95 % intervals."
        ),
    )
    return Table(title, columns, tuple(lines), notes=notes)


def _cells(found: Sequence[StillRun]) -> Iterator[str]:
    for values in (
        [one.given.mean for one in found],
        [one.given.step for one in found],
        [one.shown.mean for one in found],
        [one.shown.step for one in found],
        [one.shown.worst for one in found],
    ):
        yield mean_interval(values, "{:.3f}")


def rows(found: Sequence[StillRun], on: str) -> Iterator[Row]:
    """Movement of the driver and of the output, with a value of each pair; `on` says of which drivers."""
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        condition: dict[str, Fact] = {"on": on, "model": model}
        for what in ("mean", "step"):
            given = tuple(float(getattr(one.given, what)) for one in own)
            shown = tuple(float(getattr(one.shown, what)) for one in own)
            yield Row(f"jitter of the driver, {what}", "px at 512", given, "neither", condition, each="pair")
            yield Row(f"jitter of the output, {what}", "px at 512", shown, "lower", condition, each="pair")
