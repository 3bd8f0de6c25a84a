"""Horizontal bars made of parts, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mien_bench.formatting import number
from mien_bench.page.html import Markup, tag
from mien_bench.page.scale import scale_over, tick_text
from mien_bench.results import Chart

WIDTH: Final = 640
LEFT, RIGHT, FOOT = 8, 48, 40
STEP, BAR = 42, 20
COLOURS: Final = 6


def stacked(chart: Chart) -> Markup:
    """The picture of a chart whose lines are parts of bars."""
    count = len(chart.lines[0].x)
    height = count * STEP + FOOT
    ends = [sum(line.x[bar] for line in chart.lines) for bar in range(count)]
    across = scale_over(ends, LEFT, WIDTH - RIGHT)
    ticks = across.ticks(8)
    parts: list[Markup] = []
    for value in ticks:
        x = across(value)
        parts.append(tag("line", x1=x, x2=x, y1=4, y2=height - FOOT + 4, class_="grid"))
        parts.append(tag("text", tick_text(value, ticks), x=x, y=height - FOOT + 18, class_="tick middle"))
    for bar in range(count):
        parts += _bar(chart, bar, across(0.0), across(1.0) - across(0.0))
    parts.append(tag("text", chart.x, x=WIDTH - RIGHT, y=height - 4, class_="name end"))
    return tag("svg", parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=chart.title)


def _bar(chart: Chart, bar: int, begin: float, unit: float) -> Iterator[Markup]:
    top = bar * STEP + 18
    yield tag("text", chart.lines[0].labels[bar], x=LEFT, y=top - 4, class_="label")
    x, whole = begin, 0.0
    for place, line in enumerate(chart.lines):
        wide, whole = line.x[bar] * unit, whole + line.x[bar]
        words = f"{line.name}: {number(line.x[bar])}"
        yield tag(
            "rect", tag("title", words), x=x, y=top, width=wide, height=BAR, class_=f"part s{place % COLOURS + 1}"
        )
        x += wide
    yield tag("text", number(whole), x=x + 5, y=top + BAR - 5, class_="tick")
