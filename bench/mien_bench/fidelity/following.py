"""Motion found again in the output: openings and angles on every portrait, and mouths that narrow on smiling ones.

The landmarks are the mesh's on each finished picture by itself, without tracking. For each pair of portrait and driver
the regression of the output's values on the driver's gives a slope (1 is as much as the driver does) and a correlation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import CHANNELS, channels_of
from mien.face.points68 import MESH
from mien.face.pose import fit_pose
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.drivers import CALM, Driver
from mien_bench.fidelity.landmarkers import MeshReader
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.summary import median_interval
from mien_bench.results import Check, Fact, Row, Table
from mien_bench.roundtrip.track_measures import Agreement, agreements

Array = NDArray[np.float64]
Measure = Callable[[Array], Array]
"""Of landmarks (478, 3) in pixels."""

MOTION: Final = ("mouth", "pitch", "yaw", "roll")
SLOPE_LEAST, SLOPE_WORST, ROLL_LEAST = 0.8, 0.5, 0.95
"""Targets: median slope of mouth and pitch, any pair's, and correlation of roll."""
MOUTH: Final = (61, 291)
NARROW: Final = 0.9
"""Width of the driver's mouth relative to its calm one, below which a driver purses."""
NARROWING: Final = 0.98
"""Up to which width frames count: wider ones are smiles."""
SMILING: Final = 1.1
"""Width of a portrait's mouth in eye distances, relative to the canonical face's, from which on it smiles."""
PURSING_LEAST: Final = 0.6
"""Target of the slope of widths."""
LEAST_MOVE: Final = 1e-12
"""Product of standard deviations below which one of two widths stands still."""
FEWEST: Final = 8
"""Frames of a regression."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One portrait under one driver."""

    portrait: str
    driver: str
    model: str
    found: Mapping[str, Agreement]
    """For each channel that the driver moves."""
    lost: int
    """Pictures in which no face is found."""


def follow(
    name: str, portrait: Portrait, driver: Driver, count: int, model: str, reader: MeshReader, threads: int | None
) -> Pair:
    """Drive a portrait by `count` frames spread over a driver, and read mouth, pitch, yaw and roll.

    Raises:
        MienError: the model cannot be opened.
    """
    numbers = driver.spread(count)
    answers = _answers(portrait, driver, numbers, model, reader, channels_of, len(CHANNELS), threads)
    found = agreements(driver.channels[numbers], answers)
    lost = int(np.isnan(answers[:, 0]).sum())
    return Pair(name, driver.name, Path(model).name, {key: found[key] for key in MOTION if key in found}, lost)


def purse(
    name: str, portrait: Portrait, driver: Driver, count: int, model: str, reader: MeshReader, threads: int | None
) -> Pair | None:
    """Drive a portrait by frames in which the driver's mouth narrows; None where it never does.

    Raises:
        MienError: the model cannot be opened.
    """
    numbers = narrowing(driver, count)
    if len(numbers) < FEWEST:
        return None
    answers = _answers(portrait, driver, numbers, model, reader, lambda one: np.array([mouth_width(one)]), 1, threads)[
        :, 0
    ]
    given = np.array([mouth_width(one) for number in numbers if (one := driver.landmarks[number]) is not None])
    seen = np.isfinite(answers)
    if seen.sum() < FEWEST:
        return Pair(name, driver.name, Path(model).name, {}, int((~seen).sum()))
    slope = float(np.polyfit(given[seen], answers[seen], 1)[0])
    moves = given[seen].std() * answers[seen].std() > LEAST_MOVE
    correlation = float(np.corrcoef(given[seen], answers[seen])[0, 1]) if moves else 0.0
    width = Agreement(correlation, slope, float(np.ptp(given[seen])))
    return Pair(name, driver.name, Path(model).name, {"width": width}, int((~seen).sum()))


def mouth_width(landmarks: Array) -> float:
    """Of landmarks (478, 3) in pixels, un-posed, in eye distances."""
    shape = fit_pose(landmarks).undo(landmarks)
    return float(shape[MOUTH[1], 0] - shape[MOUTH[0], 0])


def is_smiling(portrait: Portrait) -> bool:
    """Whether its mouth is wide for its face."""
    usual = canonical_face().points
    return mouth_width(portrait.landmarks) > SMILING * float(usual[MOUTH[1], 0] - usual[MOUTH[0], 0])


def narrowing(driver: Driver, count: int) -> list[int]:
    """At most `count` numbers of frames from the calm mouth to the narrowest, evenly over the widths between; none of a
    driver that does not purse."""
    widths = np.array([np.nan if one is None else mouth_width(one) for one in driver.landmarks])
    calm = float(np.median(widths[driver.calm[:CALM]]))
    narrow = np.flatnonzero(widths < NARROWING * calm)
    if not len(narrow) or np.percentile(widths[narrow], 2) > NARROW * calm:
        return []
    order = narrow[np.argsort(widths[narrow], kind="stable")]
    goals = np.linspace(widths[order[0]], NARROWING * calm, count)
    chosen = {int(order[np.argmin(np.abs(widths[order] - goal))]) for goal in goals}
    return sorted(chosen)


def _answers(
    portrait: Portrait,
    driver: Driver,
    numbers: Sequence[int],
    model: str,
    reader: MeshReader,
    measure: Measure,
    length: int,
    threads: int | None,
) -> Array:
    """(N, length): the measure of each answer, NaN where no face is found."""
    rows = []
    with open_puppet(portrait, settings_for(model, "driver", threads=threads)) as puppet:
        for number in numbers:
            shown = puppet(driver.motions[number], number)
            landmarks = reader.landmarks(shown.pixels, shown.landmarks[list(MESH), :2])
            rows.append(np.full(length, np.nan) if landmarks is None else measure(landmarks))
    return np.array(rows).reshape(-1, length)


def table(found: Sequence[Pair], title: str, channels: Sequence[str]) -> Table:
    """A line for each portrait and model with the median over drivers, and two for all pairs."""
    lines: list[tuple[str, ...]] = []
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        for name in dict.fromkeys(one.portrait for one in own):
            of_it = [one for one in own if one.portrait == name]
            lines.append((f"{name}, {model}", *(cell(of_it, channel) for channel in channels), _lost(of_it)))
        lines.append((f"all pairs, {model}", *(cell(own, channel) for channel in channels), _lost(own)))
        lines.append((f"median slope, {model}", *(_interval(own, channel, "slope") for channel in channels), ""))
        lines.append((f"median r, {model}", *(_interval(own, channel, "correlation") for channel in channels), ""))
        lines.append((f"worst slope, {model}", *(_worst(own, channel) for channel in channels), ""))
    columns = ("", *(f"{channel}: slope (lowest), r" for channel in channels), "lost")
    notes = (
        "Medians over drivers that move the channel, lowest slope in brackets; 95 % intervals bootstrapped over pairs.",
    )
    return Table(title, columns, tuple(lines), notes=notes)


def cell(found: Sequence[Pair], channel: str) -> str:
    """Median slope (lowest) and median correlation; "-" where no driver moves the channel."""
    seen = [one.found[channel] for one in found if channel in one.found]
    if not seen:
        return "-"
    slopes = [one.slope for one in seen]
    return f"{np.median(slopes):.2f} ({min(slopes):.2f}), {np.median([one.correlation for one in seen]):.3f}"


def _lost(found: Sequence[Pair]) -> str:
    return str(sum(one.lost for one in found))


def _interval(found: Sequence[Pair], channel: str, what: str) -> str:
    return median_interval([getattr(one.found[channel], what) for one in found if channel in one.found])


def _worst(found: Sequence[Pair], channel: str) -> str:
    seen = [one for one in found if channel in one.found]
    if not seen:
        return "-"
    worst = min(seen, key=lambda one: one.found[channel].slope)
    return f"{worst.found[channel].slope:.2f} {worst.driver} x {worst.portrait}"


def rows(found: Sequence[Pair], channels: Sequence[str], on: str) -> Iterator[Row]:
    """Slopes and correlations, with a value of each pair; `on` says of what."""
    for model in dict.fromkeys(one.model for one in found):
        condition: dict[str, Fact] = {"on": on, "model": model}
        for channel in channels:
            seen = [one.found[channel] for one in found if one.model == model and channel in one.found]
            if seen:
                slopes = tuple(one.slope for one in seen)
                yield Row(f"{channel} found again, slope", "", slopes, "neither", condition, each="pair")
                correlations = tuple(one.correlation for one in seen)
                yield Row(f"{channel} found again, r", "", correlations, "higher", condition, each="pair")


def targets(plain: Sequence[Pair], shaken: Sequence[Pair]) -> Iterator[Check]:
    """What each model shall reach on every portrait: openings and pitch by the drivers as they are, roll by all."""
    for model in dict.fromkeys(one.model for one in plain):
        own = [one for one in plain if one.model == model]
        for channel in ("mouth", "pitch"):
            slopes = [one.found[channel].slope for one in own if channel in one.found]
            if slopes:
                middle, worst = float(np.median(slopes)), min(slopes)
                named = f"motion, {model}: {channel} slope"
                yield Check(f"{named}, median", f">= {SLOPE_LEAST:g}", f"{middle:.2f}", middle >= SLOPE_LEAST)
                yield Check(f"{named}, worst", f">= {SLOPE_WORST:g}", _worst(own, channel), worst >= SLOPE_WORST)
        both = [one for one in (*plain, *shaken) if one.model == model]
        rolls = [one.found["roll"].correlation for one in both if "roll" in one.found]
        if rolls:
            middle = float(np.median(rolls))
            yield Check(f"motion, {model}: roll r", f">= {ROLL_LEAST:g}", f"{middle:.3f}", middle >= ROLL_LEAST)


def pursing_targets(found: Sequence[Pair]) -> Iterator[Check]:
    """How far each model's smiling portraits shall narrow."""
    for model in dict.fromkeys(one.model for one in found):
        widths = [one.found["width"].slope for one in found if one.model == model and "width" in one.found]
        if widths:
            middle = float(np.median(widths))
            yield Check(f"pursing, {model}: slope", f">= {PURSING_LEAST:g}", f"{middle:.2f}", middle >= PURSING_LEAST)
