"""The usual charts: latency distributions, latency over time, cost over load, stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from mien_bench.results import Band, Chart, Line

MOST_POINTS = 400
"""Points of a line; longer ones are thinned out, keeping the extremes."""


def cdf(title: str, samples: Mapping[str, Sequence[float]], unit: str = "ms", limit: float | None = None) -> Chart:
    """Cumulative distribution functions, a line for each name."""
    lines = tuple(_cumulated(name, values) for name, values in samples.items() if len(values))
    about = "Further left is faster, steeper is steadier; the right end is the worst that was seen."
    return Chart(title, f"up to ({unit})", "share of frames (%)", lines, limit=limit, about=about)


def timeline(
    title: str,
    at: Sequence[float],
    latency: Sequence[float],
    levels: Sequence[str] = (),
    drops: Sequence[float] = (),
    bands: Sequence[Band] = (),
    limit: float | None = None,
) -> Chart:
    """Latencies in milliseconds over seconds.

    Args:
        at, latency: of each frame, in order.
        levels: the controller's at each frame; stretches of one level become bands.
        drops: seconds at which frames were lost.
        bands: further stretches to colour, such as a load.
        limit: milliseconds that are promised.
    """
    kept = _thinned(latency)
    line = Line("frames", tuple(float(at[i]) for i in kept), tuple(float(latency[i]) for i in kept), "points")
    found = (*_stretches(at, levels), *bands)
    about = "Each dot is a frame; a tick on the axis is a frame that was dropped; the ground shows the level."
    return Chart(title, "seconds", "latency (ms)", (line,), found, tuple(map(float, drops)), limit, about=about)


def cost(
    title: str, x: str, y: str, seen: Mapping[float, Sequence[float]], degree: int = 1, limit: float | None = None
) -> Chart:
    """What `y` is at each `x`, with a polynomial through it (none where there are too few points)."""
    places = sorted(seen)
    middles = [float(np.median(seen[place])) for place in places]
    lines = [Line("median", tuple(map(float, places)), tuple(middles), "points")]
    about = "Dots are medians."
    if len(places) > degree:
        factors = np.polyfit(places, middles, degree)
        fine = np.linspace(places[0], places[-1], 50)
        lines.append(Line("fit", tuple(map(float, fine)), tuple(map(float, np.polyval(factors, fine))), "fit"))
        about = f"Dots are medians; the dashes are {polynomial(factors)}."
    return Chart(title, x, y, tuple(lines), limit=limit, about=about)


def stack(title: str, x: str, bars: Mapping[str, Mapping[str, float]]) -> Chart:
    """Horizontal bars by name, each made of the same parts, one behind the other."""
    names, parts = tuple(bars), dict.fromkeys(part for values in bars.values() for part in values)
    places = tuple(map(float, range(len(names))))
    lines = tuple(
        Line(part, tuple(float(bars[name].get(part, 0.0)) for name in names), places, "stack", names) for part in parts
    )
    return Chart(title, x, "", lines)


def polynomial(factors: Sequence[float] | NDArray[np.float64]) -> str:
    """A polynomial in x as text; factors with the highest power first."""
    names = {0: "", 1: " x"}
    highest = len(factors) - 1
    terms = [f"{f:+.3g}" + names.get(highest - i, f" x^{highest - i}") for i, f in enumerate(factors)]
    return " ".join(terms).removeprefix("+")


def _cumulated(name: str, values: Sequence[float]) -> Line:
    ordered = np.sort(np.asarray(values, float))
    shares = np.arange(1, len(ordered) + 1) / len(ordered) * 100
    kept = np.unique(np.linspace(0, len(ordered) - 1, MOST_POINTS).round().astype(int))
    return Line(name, tuple(map(float, ordered[kept])), tuple(map(float, shares[kept])), "steps")


def _thinned(values: Sequence[float]) -> list[int]:
    """Indices of the values to draw: the lowest and the highest of each stretch."""
    if len(values) <= MOST_POINTS:
        return list(range(len(values)))
    parts = np.array_split(np.arange(len(values)), MOST_POINTS // 2)
    array = np.asarray(values, float)
    return sorted({int(part[pick(array[part])]) for part in parts for pick in (np.argmin, np.argmax)})


def _stretches(at: Sequence[float], levels: Sequence[str]) -> list[Band]:
    bands, begin = [], 0
    for name, members in groupby(levels):
        end = begin + len(list(members))
        bands.append(Band(name, float(at[begin]), float(at[min(end, len(at) - 1)])))
        begin = end
    return bands
