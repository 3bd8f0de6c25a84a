"""Layer integrity: under drivers filmed by hand, the head moves as one piece, no triangle is torn, nothing smears.

For each portrait and shaken driver: how far hair, ears and skin of the head stray from the head's own motion; how much
the triangles of the mesh shrink and grow; how much of the picture is shown from beyond the portrait's edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien_bench.fidelity.drivers import Driver
from mien_bench.fidelity.head_layer import HeadLayer, straying
from mien_bench.quality.puppet import open_puppet, settings_for
from mien_bench.quality.summary import median_interval
from mien_bench.results import Better, Check, Fact, Row, Table

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STRAY_MOST: Final = 2.0
"""Per cent of the face's width, for the 95th percentile of the pixels."""
AREAS: Final = (0.6, 1.6)
"""Least and greatest area of a triangle relative to the portrait's."""
SMALLEST: Final = 0.02
"""Area of a triangle in the portrait, per cent of the squared face width, below which it is not seen."""
OPENINGS: Final = frozenset({*topology.OUTER_LIPS, *topology.INNER_LIPS, *topology.LEFT_EYE, *topology.RIGHT_EYE})
"""Triangles that touch these landmarks belong to mouth or eyes, which open and close."""
TEMPLES: Final = (127, 356)
NOTES: Final = (
    (
        "Strays from the head's own motion: 95th percentile over pixels, per cent of the face's width; median over the "
        "frames of all drivers (drift of 1 face width, zoom 0.7 to 1.4, roll 25 degrees), and the worst frame."
    ),
    (
        "Area: of visible triangles outside mouth and eyes, relative to the portrait's and to the head's size; median "
        "frame's percentiles, and the extremes over all frames. Beyond edge: mean over frames (worst)."
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Integrity:
    """One portrait under one driver."""

    portrait: str
    driver: str
    model: str
    stray: Mapping[str, Array]
    """For each part of the head, and "head" for all: (frames,) 95th percentile over pixels, in per cent of the face's
    width; NaN where none is seen."""
    areas: Array
    """(frames, 4): least, 1st and 99th percentile, greatest area ratio of the visible triangles."""
    uncovered: Array
    """(frames,): per cent of the picture that is shown from beyond the portrait's edge."""


def measure(
    name: str, portrait: Portrait, head: HeadLayer, driver: Driver, count: int, model: str, threads: int | None = None
) -> Integrity:
    """Drive a portrait by `count` frames spread over a driver.

    Raises:
        MienError: the model cannot be opened.
    """
    stray: dict[str, list[float]] = {}
    areas, uncovered = [], []
    with open_puppet(portrait, settings_for(model, "driver", threads=threads)) as puppet:
        for number in driver.spread(count):
            shown = puppet(driver.motions[number], number)
            posed = shown.posed[0]
            found = straying(head, shown.pixels, posed.pose)
            for part, values in {**found.parts, "head": found.all}.items():
                stray.setdefault(part, []).append(percentile(values, 95))
            areas.append(area_range(posed))
            uncovered.append(beyond_edge(posed))
    strays = {part: np.array(values) for part, values in stray.items()}
    return Integrity(name, driver.name, Path(model).name, strays, np.array(areas), np.array(uncovered))


def percentile(values: Array, share: float) -> float:
    """NaN where there are too few values to speak of."""
    return float(np.percentile(values, share)) if len(values) >= 50 else float("nan")


def area_range(posed: Posed) -> Array:
    """(4,): least, 1st and 99th percentile, greatest ratio of areas, target to texture, of the visible triangles.

    A ratio that the head's change of size explains counts as 1, since some of the picture goes along with it and some
    does not: between 1 and the squared relative size it is 1, beyond it is relative to the nearer of the two.
    """
    source, target = (_areas(points[:, :2], posed.triangles) for points in (posed.texture, posed.vertices))
    width = np.linalg.norm(np.subtract(*posed.portrait.landmarks[list(TEMPLES), :2]))
    visible = (source * target > 0) & (np.abs(source) > SMALLEST / 100 * width**2)
    visible &= ~np.isin(posed.triangles, list(OPENINGS)).any(axis=1)
    visible &= _in_view(posed)
    ratios = target[visible] / source[visible]
    own = (posed.pose.scale / posed.portrait.pose.scale) ** 2
    low, high = min(1.0, own), max(1.0, own)
    ratios = np.where(ratios < low, ratios / low, np.where(ratios > high, ratios / high, 1.0))
    return np.asarray(np.percentile(ratios, [0, 1, 99, 100]))


def _areas(points: NDArray[np.float32], triangles: NDArray[np.int32]) -> Array:
    """(T,): twice the signed areas."""
    a, b, c = (points[triangles[:, i]].astype(np.float64) for i in range(3))
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))


def _in_view(posed: Posed) -> NDArray[np.bool_]:
    """(T,): whether a triangle's middle lies in the picture."""
    width, height = posed.portrait.size
    middles = posed.vertices[posed.triangles, :2].mean(axis=1)
    return np.asarray((middles >= 0).all(axis=1) & (middles < (width, height)).all(axis=1))


def beyond_edge(posed: Posed) -> float:
    """Per cent of the picture that shows the person from beyond what there is of the portrait."""
    width, height = posed.portrait.size
    places = posed.flow + posed.window.corner.astype(np.float32)
    share = repeated_share(places, posed.portrait.matte, (width, height))
    return 100 * share * posed.window.width * posed.window.height / (width * height)


def repeated_share(places: Floats, matte: Pixels | None, size: tuple[int, int]) -> float:
    """Share of backward flow `places` (h, w, 2) that points beyond a picture of `size` (width, height) by more than a
    pixel, where the border that is repeated there shows the person: `matte` (H, W), None where all of it does."""
    most = np.array(size, dtype=np.float32) - 1
    out = (places < -1.5).any(axis=2) | (places > most + 1.5).any(axis=2)
    if matte is not None:
        nearest = np.clip(np.rint(places[out]), 0, most).astype(np.int64)
        out[out] = matte[nearest[:, 1], nearest[:, 0]] > 127
    return float(out.mean())


def table(found: Sequence[Integrity]) -> Table:
    """A line for each portrait and model, over its drivers, and one for all."""
    lines: list[tuple[str, ...]] = []
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        for name in dict.fromkeys(one.portrait for one in own):
            lines.append((f"{name}, {model}", *cells([one for one in own if one.portrait == name])))
        lines.append((f"all, {model}", *cells(own)))
        lines.append((f"median pair, {model}", *_over_pairs(own)))
    columns = ("", "hair", "ears", "skin", "head", "worst frame", "area 1..99 %", "area least..most", "beyond edge %")
    return Table("Layer integrity under shaken drivers", columns, tuple(lines), notes=NOTES)


def cells(found: Sequence[Integrity]) -> Iterator[str]:
    """The columns of `table` behind the first, over some portraits and drivers."""
    for part in ("hair", "ears", "skin", "head"):
        values = np.concatenate([one.stray[part] for one in found])
        values = values[np.isfinite(values)]
        yield f"{np.median(values):.1f}" if len(values) else "-"
    heads = np.concatenate([one.stray["head"] for one in found])
    yield f"{np.nanmax(heads):.1f}" if np.isfinite(heads).any() else "-"
    areas = np.concatenate([one.areas for one in found])
    least, low, high, most = areas[:, 0].min(), np.median(areas[:, 1]), np.median(areas[:, 2]), areas[:, 3].max()
    yield f"{low:.2f}..{high:.2f}"
    yield f"{least:.2f}..{most:.2f}"
    beyond = np.concatenate([one.uncovered for one in found])
    yield f"{beyond.mean():.1f} ({beyond.max():.1f})"


def _over_pairs(found: Sequence[Integrity]) -> Iterator[str]:
    """The same columns as medians over pairs with intervals; of areas and beyond the edge, each pair's worst frame."""
    for part in ("hair", "ears", "skin", "head"):
        yield median_interval([_middle(one.stray[part]) for one in found], "{:.1f}")
    seen = [one.stray["head"][np.isfinite(one.stray["head"])] for one in found]
    yield median_interval([float(values.max()) for values in seen if len(values)], "{:.1f}")
    yield _range([one.areas[:, 1].min() for one in found], [one.areas[:, 2].max() for one in found])
    yield _range([one.areas[:, 0].min() for one in found], [one.areas[:, 3].max() for one in found])
    yield median_interval([float(one.uncovered.max()) for one in found], "{:.1f}")


def _middle(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _range(low: Sequence[float], high: Sequence[float]) -> str:
    return f"{np.median(low):.2f}..{np.median(high):.2f}"


def rows(found: Sequence[Integrity]) -> Iterator[Row]:
    """A row for each model and measure, with a value of each pair."""
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        condition: dict[str, Fact] = {"on": "shaken drivers", "model": model}
        for part in own[0].stray:
            medians = tuple(value for one in own if np.isfinite(value := _middle(one.stray[part])))
            if medians:
                yield Row(f"strays, {part}, p95", "% of face", medians, "lower", condition, each="pair")
        worst = tuple(float(np.nanmax(one.stray["head"])) for one in own if np.isfinite(one.stray["head"]).any())
        if worst:
            yield Row("strays, head, worst frame", "% of face", worst, "lower", condition, each="pair")
        for place, what in enumerate(("least", "1 %", "99 %", "most")):
            better: Better = "higher" if place < 2 else "lower"
            values = tuple(float((np.min if place < 2 else np.max)(one.areas[:, place])) for one in own)
            yield Row(f"area of triangles, {what}", "", values, better, condition, each="pair")
        beyond = tuple(float(one.uncovered.max()) for one in own)
        yield Row("shown from beyond the edge, worst frame", "%", beyond, "lower", condition, each="pair")


def targets(found: Sequence[Integrity]) -> Iterator[Check]:
    """What each model shall keep, over all portraits and drivers."""
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        heads = np.concatenate([one.stray["head"] for one in own])
        heads = heads[np.isfinite(heads)]
        areas = np.concatenate([one.areas for one in own])
        least, most = float(areas[:, 0].min()), float(areas[:, 3].max())
        beyond = float(max(one.uncovered.max() for one in own))
        if len(heads):
            stray = float(np.percentile(heads, 95))
            said = f"{stray:.1f} in 95 % of frames"
            yield Check(f"integrity, {model}: head strays", f"< {STRAY_MOST:g} % of face", said, stray < STRAY_MOST)
        kept = AREAS[0] <= least and most <= AREAS[1]
        yield Check(f"integrity, {model}: areas", f"{AREAS[0]:g}..{AREAS[1]:g}", f"{least:.2f}..{most:.2f}", kept)
        yield Check(f"integrity, {model}: beyond the edge", "0 %", f"{beyond:.1f} %", beyond == 0)
