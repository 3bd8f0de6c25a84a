"""Open-mouth portraits, driven by closed mouths: wide-mouth frames of clips, whose own closed frames are the truth.

Error: the clip's closed frames are asked for with absolute motion, and compared within the lips and along the line
where they meet. Gap: any driver's closed frames with relative motion, as a user has it; how far apart the lips are
found then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.points68 import MESH
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import portrait_of
from mien_bench.fidelity.drivers import Driver, frames_of
from mien_bench.fidelity.judges import PointReader
from mien_bench.quality.picture_measures import difference
from mien_bench.quality.puppet import open_puppet, settings_for, towards
from mien_bench.quality.regions import crop_of, cut
from mien_bench.quality.summary import mean_interval
from mien_bench.results import Check, Fact, Row, Table

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

WIDE: Final = 0.2
"""Gap in mouth widths from which on a mouth is open."""
CLOSED: Final = 0.02
"""Up to which it is closed."""
TURNED: Final = 15.0
"""Degrees of yaw or pitch from the clip's usual pose, at most, of an open portrait."""
APART: Final = 1.0
"""Seconds between two portraits of a clip, at least."""
PORTRAITS: Final = 3
"""Of a clip, at most."""
TRUTHS: Final = 6
"""Closed frames that each portrait is compared with, those whose pose is nearest."""
DRIVERS_FRAMES: Final = 5
"""Closed frames of each driver."""
SIDE: Final = 256
LINE: Final = 0.08
"""Half the height in mouth widths of the strip along the line where lips meet: the inner mouth, were it open."""
GAP_MOST: Final = 4.0
"""Target: per cent of the mouth's width."""
REGIONS: Final = ("line of the lips", "lips")
OPEN, CALM = "open", "calm"
"""What the portrait was: a wide-mouth frame, or for comparison the clip's calmest one."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenPortrait:
    """A frame of a clip as a portrait, and closed frames of the same clip."""

    name: str
    kind: str
    """`OPEN` or `CALM`."""
    driver: Driver
    portrait: Portrait
    truths: Mapping[int, Pixels]


@dataclass(frozen=True, slots=True, eq=False)
class Closing:
    """What one model makes of one such portrait."""

    portrait: str
    kind: str
    model: str
    errors: Array
    """(truths, 2): mean absolute difference in `REGIONS`, grey levels."""
    gaps: Mapping[str, Array]
    """By landmarker: (frames,) gaps of the lips in per cent of the mouth's width, NaN where no face is seen."""


def gap_of(points: Array) -> float:
    """Gap of the inner lips, of points (68, 2), in per cent of the distance of the mouth's corners."""
    width = float(np.linalg.norm(points[54] - points[48]))
    gaps = np.linalg.norm(points[[61, 62, 63]] - points[[67, 66, 65]], axis=1)
    return 100 * float(gaps.mean()) / max(width, 1e-6)


def gaps_of(driver: Driver) -> Array:
    """(N,): of each frame in mouth widths, NaN without a face."""
    return np.array([np.nan if one is None else gap_of(one[list(MESH), :2]) / 100 for one in driver.landmarks])


def wide_frames(driver: Driver) -> list[int]:
    """At most `PORTRAITS` numbers of frames whose mouth is widest open, `APART` seconds or more."""
    gaps, times = gaps_of(driver), np.array(driver.seconds)
    away = np.abs(driver.channels[:, 2:4] - np.nanmedian(driver.channels[:, 2:4], axis=0)).max(axis=1)
    free = (gaps > WIDE) & (away < TURNED)
    chosen: list[int] = []
    while free.any() and len(chosen) < PORTRAITS:
        chosen.append(int(np.argmax(np.where(free, gaps, -1.0))))
        free &= np.abs(times - times[chosen[-1]]) >= APART
    return chosen


def closed_frames(driver: Driver, count: int, like: int | None = None) -> list[int]:
    """At most `count` numbers of frames with a closed mouth: those posed most like the frame `like`, else spread."""
    closed = np.flatnonzero(gaps_of(driver) < CLOSED)
    if like is not None:
        away = np.abs(driver.channels[closed, 2:5] - driver.channels[like, 2:5]).sum(axis=1)
        return [int(number) for number in closed[np.argsort(away, kind="stable")][:count]]
    wanted = min(count, len(closed))
    return [int(closed[(2 * i + 1) * len(closed) // (2 * wanted)]) for i in range(wanted)]


def open_portraits(driver: Driver) -> Iterator[OpenPortrait]:
    """Those of a clip, and its calmest frame with the truths of the first; none where it is never open or closed.

    Raises:
        SourceError: the clip cannot be read.
    """
    wide = wide_frames(driver)
    truths = {number: closed_frames(driver, TRUTHS, number) for number in wide}
    if not wide or not truths[wide[0]]:
        return
    calm = next((number for number in driver.calm if number not in truths[wide[0]]), driver.calm[0])
    pictures = frames_of(driver.path, [calm, *wide, *(number for several in truths.values() for number in several)])
    cases = [(OPEN, number, truths[number]) for number in wide] + [(CALM, calm, truths[wide[0]])]
    for kind, number, several in cases:
        landmarks = driver.landmarks[number]
        assert landmarks is not None  # chosen among frames with a face
        try:
            portrait = portrait_of(pictures[number], landmarks)
        except FaceError:
            continue
        shown = {one: pictures[one] for one in several}
        yield OpenPortrait(f"{driver.name}.{number}", kind, driver, portrait, shown)


def closing(
    case: OpenPortrait, drivers: Sequence[Driver], model: str, readers: Mapping[str, PointReader], threads: int | None
) -> Closing:
    """Drive an open portrait by closed mouths.

    Raises:
        MienError: the model cannot be opened.
    """
    errors = []
    gaps: dict[str, list[float]] = {name: [] for name in readers}
    with open_puppet(case.portrait, settings_for(model, "none", threads=threads)) as puppet:
        for number, truth in case.truths.items():
            landmarks = case.driver.landmarks[number]
            assert landmarks is not None  # closed frames have a face
            shown = puppet(towards(landmarks, case.portrait.size), number)
            errors.append(region_errors(shown.pixels, truth, landmarks))
    with open_puppet(case.portrait, settings_for(model, "driver", threads=threads)) as puppet:
        for driver in drivers:
            for number in closed_frames(driver, DRIVERS_FRAMES):
                shown = puppet(driver.motions[number], number)
                for name, read in readers.items():
                    points = read(shown.pixels, shown.landmarks[list(MESH), :2])
                    gaps[name].append(np.nan if points is None else gap_of(points))
    return Closing(
        case.name,
        case.kind,
        Path(model).name,
        np.array(errors),
        {name: np.array(values) for name, values in gaps.items()},
    )


def region_errors(made: Pixels, truth: Pixels, landmarks: Array) -> Array:
    """(2,): mean absolute difference of two pictures (H, W, 3) in `REGIONS` of the truth's landmarks (478, 3)."""
    matrix = crop_of(landmarks, SIDE)
    away = difference(cut(made, matrix, SIDE), cut(truth, matrix, SIDE))
    return np.array([float(away[region].mean()) for region in mouth_regions(placed(landmarks, matrix)[:, :2])])


def mouth_regions(points: Array) -> tuple[Bits, Bits]:
    """(SIDE, SIDE) each: the strip along the line of closed lips, and lips with it; landmarks (478, 2) in the crop."""
    width = float(np.linalg.norm(points[topology.OUTER_LIPS[10]] - points[topology.OUTER_LIPS[0]]))
    upper, lower = (np.array(topology.INNER_LIPS)[part] for part in (slice(0, 11), [0, *range(19, 9, -1)]))
    line = np.rint((points[upper] + points[lower]) / 2).astype(np.int32)
    strip, lips = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    cv2.polylines(strip, [line], False, 1, thickness=max(round(2 * LINE * width), 1))
    cv2.fillPoly(lips, [np.rint(points[list(topology.OUTER_LIPS)]).astype(np.int32)], 1)
    return strip > 0, (strip | lips) > 0


def table(found: Sequence[Closing]) -> Table:
    """A line for each model and kind of portrait, and one for each open portrait."""
    lines = []
    judges = list(found[0].gaps)
    for model in dict.fromkeys(one.model for one in found):
        for kind in (OPEN, CALM):
            own = [one for one in found if (one.model, one.kind) == (model, kind)]
            if own:
                lines.append((f"{kind} portraits, {model}", *_cells(own, judges)))
        for one in found:
            if (one.model, one.kind) == (model, OPEN):
                lines.append((f"  {one.portrait}, {model}", *_cells([one], judges)))
    columns = ("", *(f"L1, {name}" for name in REGIONS), *(f"gap % ({name}): median, p95" for name in judges))
    notes = (
        (
            "L1 in grey levels against the clip's own closed frames, mean over portraits with 95 % interval; the strip "
            "along the line of the lips is the inner mouth, were it open. Calm: the same from the clip's calmest frame."
        ),
        "Gap of the lips in per cent of the mouth's width, where the driver's lips are closed (below 2 %).",
    )
    return Table("Open-mouth portraits, driven by closed mouths", columns, tuple(lines), notes=notes)


def _cells(found: Sequence[Closing], judges: Sequence[str]) -> Iterator[str]:
    for place in range(len(REGIONS)):
        yield mean_interval([float(one.errors[:, place].mean()) for one in found], "{:.1f}")
    for name in judges:
        gaps = np.concatenate([one.gaps[name] for one in found])
        gaps = gaps[np.isfinite(gaps)]
        yield f"{np.median(gaps):.1f}, {np.percentile(gaps, 95):.1f}" if len(gaps) else "-"


def rows(found: Sequence[Closing]) -> Iterator[Row]:
    """Errors and gaps, with a value of each portrait."""
    for model, kind in dict.fromkeys((one.model, one.kind) for one in found):
        own = [one for one in found if (one.model, one.kind) == (model, kind)]
        condition: dict[str, Fact] = {"on": f"{kind} portraits", "model": model}
        for place, region in enumerate(REGIONS):
            errors = tuple(float(one.errors[:, place].mean()) for one in own)
            yield Row(f"l1 of closed mouths, {region}", "grey levels", errors, "lower", condition, each="portrait")
        for name in own[0].gaps:
            gaps = tuple(float(np.nanmedian(one.gaps[name])) for one in own if np.isfinite(one.gaps[name]).any())
            if gaps:
                yield Row(f"gap of closed lips, {name}", "% of mouth", gaps, "lower", condition, each="portrait")


def targets(found: Sequence[Closing]) -> Iterator[Check]:
    """Whether the lips of open portraits meet when the driver's do, by every landmarker."""
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if (one.model, one.kind) == (model, OPEN)]
        for name in own[0].gaps if own else ():
            gaps = np.concatenate([one.gaps[name] for one in own])
            gaps = gaps[np.isfinite(gaps)]
            if len(gaps):
                middle = float(np.median(gaps))
                said = f"{middle:.1f} (p95 {np.percentile(gaps, 95):.1f})"
                wanted = f"< {GAP_MOST:g} % of mouth"
                yield Check(f"open mouths, {model}: gap by {name}", wanted, said, middle < GAP_MOST)
