"""A chart as SVG, coloured by the page's style sheet so that it follows the theme."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from mien_bench.formatting import number
from mien_bench.page.html import Markup, tag
from mien_bench.page.scale import Scale, scale_over, tick_text
from mien_bench.page.stacked import stacked
from mien_bench.results import Band, Chart, Line

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 22, 46
LEVELS: Final = {"full": 0, "half": 1, "warp": 2, "hold": 3}
"""How far each level of the controller is from the best; other bands are neutral."""
COLOURS: Final = 6
LABELLED: Final = 24
"""Points beyond which none is labelled in the picture; all tell their name when pointed at."""
_LETTER: Final = 6.2


def figure(chart: Chart) -> Markup:
    """Title, legend, picture and how to read it."""
    return tag(
        "figure",
        tag("figcaption", tag("h4", chart.title), _legend(chart)),
        stacked(chart) if chart.lines and chart.lines[0].drawn == "stack" else _picture(chart),
        tag("p", chart.about, class_="quiet") if chart.about else "",
        class_="chart",
    )


def _picture(chart: Chart) -> Markup:
    across, up = _scales(chart)
    parts = [
        *_bands(chart.bands, across),
        *_grid(chart, across, up),
        *(_marks(chart.marks, across)),
        *(_limit(chart, across, up)),
        *(part for place, line in enumerate(chart.lines) for part in _line(line, place, across, up)),
    ]
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", parts, viewBox=box, role="img", aria_label=f"{chart.title}: {chart.y} over {chart.x}")


def _scales(chart: Chart) -> tuple[Scale, Scale]:
    x = [value for line in chart.lines for value in line.x]
    y = [value for line in chart.lines for value in line.y]
    x += [end for band in chart.bands for end in (band.begin, band.end)] + list(chart.marks)
    y += [] if chart.limit is None or _limits_x(chart) else [chart.limit]
    x += [chart.limit] if chart.limit is not None and _limits_x(chart) else []
    logarithmic = chart.logarithmic
    return (
        scale_over(x, LEFT, WIDTH - RIGHT, logarithmic[0]),
        scale_over(y, HEIGHT - BOTTOM, TOP, logarithmic[1]),
    )


def _limits_x(chart: Chart) -> bool:
    """Whether what is promised lies on the x axis, as of a distribution."""
    return chart.y.startswith("share")


def _grid(chart: Chart, across: Scale, up: Scale) -> Iterator[Markup]:
    ticks = up.ticks(5)
    for value in ticks:
        y = up(value)
        yield tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
        yield tag("text", tick_text(value, ticks), x=LEFT - 8, y=y + 4, class_="tick end")
    ticks = across.ticks(8)
    for value in ticks:
        x = across(value)
        yield tag("line", x1=x, x2=x, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 4, class_="axis")
        yield tag("text", tick_text(value, ticks), x=x, y=HEIGHT - BOTTOM + 18, class_="tick middle")
    yield tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis")
    yield tag("text", chart.x, x=WIDTH - RIGHT, y=HEIGHT - 8, class_="name end")
    yield tag("text", chart.y, x=LEFT - 44, y=12, class_="name")


def _line(line: Line, place: int, across: Scale, up: Scale) -> Iterator[Markup]:
    colour = f"s{place % COLOURS + 1}"
    labels = line.labels or ("",) * len(line.x)
    points = [p for p in zip(line.x, line.y, labels, strict=True) if math.isfinite(p[0]) and math.isfinite(p[1])]
    spots = [(across(x), up(y)) for x, y, _ in points]
    if line.drawn != "points":
        if spots:
            path = _path(spots, line.drawn == "steps")
            yield tag("path", tag("title", line.name), d=path, class_=f"line {line.drawn} {colour}")
        return
    small = len(spots) > LABELLED * 2
    for (x, y, label), (left, top) in zip(points, spots, strict=True):
        words = f"{label or line.name}: {number(y)} at {number(x)}"
        dot = f"dot {colour}{' small' * small}"
        yield tag("circle", tag("title", words), cx=left, cy=top, r=2.2 if small else 4.5, class_=dot)
    if line.labels and len(spots) <= LABELLED:
        yield from _labels([label for _, _, label in points], spots)


def _path(spots: Sequence[tuple[float, float]], steps: bool) -> str:
    (x, y), *others = spots
    parts = [f"M{x:.1f} {y:.1f}"]
    for x, y in others:
        parts.append(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}")
    return "".join(parts)


def _labels(labels: Sequence[str], spots: Sequence[tuple[float, float]]) -> Iterator[Markup]:
    """First words of the labels, each where no other one is; the rest is told when a point is pointed at."""
    taken: list[tuple[float, float, float]] = []
    for label, (x, y) in sorted(zip(labels, spots, strict=True), key=lambda one: one[1][1]):
        text = label.split()[0]
        wide = len(text) * _LETTER
        end = x + 8 + wide > WIDTH - RIGHT
        left = x - 8 - wide if end else x + 8
        if any(left < right and left + wide > begin and abs(y - at) < 11 for begin, right, at in taken):
            continue
        taken.append((left, left + wide, y))
        yield tag("text", text, x=x - 8 if end else x + 8, y=y + 4, class_="label end" if end else "label")


def _bands(bands: Sequence[Band], across: Scale) -> Iterator[Markup]:
    for band in bands:
        left, right = across(band.begin), across(band.end)
        level = LEVELS.get(band.name)
        kind = "other" if level is None else f"level{level}"
        words = f"{band.name}, {number(band.begin)} to {number(band.end)} s"
        wide = max(right - left, 1)
        body = {"x": left, "y": TOP, "width": wide, "height": HEIGHT - BOTTOM - TOP}
        yield tag("rect", tag("title", words), class_=f"band {kind}", **body)
        if wide > len(band.name) * _LETTER + 8:
            yield tag("text", band.name, x=left + 4, y=TOP + (26 if level is None else 12), class_="label")


def _marks(marks: Sequence[float], across: Scale) -> Iterator[Markup]:
    for mark in marks:
        x, foot = across(mark), HEIGHT - BOTTOM
        yield tag("line", tag("title", f"lost at {mark:.2f}"), x1=x, x2=x, y1=foot - 9, y2=foot, class_="mark")


def _limit(chart: Chart, across: Scale, up: Scale) -> Iterator[Markup]:
    if chart.limit is None:
        return
    words = f"promised {number(chart.limit)}"
    if _limits_x(chart):
        x = across(chart.limit)
        yield tag("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="limit")
        yield tag("text", words, x=x - 5, y=HEIGHT - BOTTOM - 6, class_="label end")
    else:
        y = up(chart.limit)
        yield tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="limit")
        yield tag("text", words, x=WIDTH - RIGHT, y=y - 5, class_="label end")


def _legend(chart: Chart) -> Markup | str:
    names = [
        tag("span", tag("i", class_=f"swatch {line.drawn} s{place % COLOURS + 1}"), line.name)
        for place, line in enumerate(chart.lines)
    ]
    levels = dict.fromkeys(band.name for band in chart.bands)
    names += [tag("span", tag("i", class_=f"swatch band {_band_kind(name)}"), name) for name in levels]
    names += [tag("span", tag("i", class_="swatch lost"), f"lost ({len(chart.marks)})")] if chart.marks else []
    return tag("div", names, class_="legend") if len(names) > 1 else ""


def _band_kind(name: str) -> str:
    return f"level{LEVELS[name]}" if name in LEVELS else "other"
