"""A chart of a result as a figure of the page: title, legend, picture, and how to read it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mien_bench.formatting import number
from mien_bench.page.html import Markup, tag
from mien_bench.page.svg import COLOURS, LABEL, SERIES, blank, series, svg
from mien_bench.results import Band, Chart, Line

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 26, 48
BAR_STEP, BAR_FOOT, BAR_MIDDLE = 42, 40, 0.66
"""Pixels of a bar with its name, and below the bars; where in its step the middle of a bar is."""
LEVELS: Final[Mapping[str, float]] = {"full": 0.0, "half": 0.1, "warp": 0.2, "hold": 0.34}
"""Opacity of the ground at each level of the controller; other bands are neutral."""
NEUTRAL: Final = 0.13
ROOM, BAND_ROOM = 0.04, 0.18
"""Of an axis beyond its values, without and with bands, whose names stand at the top."""
LABELLED: Final = 24
"""Points beyond which none is labelled in the picture; each has its name as a tooltip."""
_LETTER: Final = 6.2
"""Pixels of a letter, about."""
Tips = dict[str, list[str]]


def figure(chart: Chart) -> Markup:
    """Title, legend, picture and how to read it."""
    return tag(
        "figure",
        tag("figcaption", tag("h4", chart.title), _legend(chart)),
        _stacked(chart) if chart.lines and chart.lines[0].drawn == "stack" else _picture(chart),
        tag("p", chart.about, class_="quiet") if chart.about else "",
        class_="chart",
    )


def _picture(chart: Chart) -> Markup:
    drawing = blank(WIDTH, HEIGHT)
    axes = drawing.add_axes(
        (LEFT / WIDTH, BOTTOM / HEIGHT, (WIDTH - LEFT - RIGHT) / WIDTH, (HEIGHT - TOP - BOTTOM) / HEIGHT)
    )
    _draw_axes(axes, chart)
    tips: Tips = {}
    for index, band in enumerate(chart.bands):
        _draw_band(axes, band, f"band-{index}", tips)
    if chart.marks:
        foot = [0.0] * len(chart.marks)
        style = {"marker": 2, "markersize": 9, "markeredgewidth": 1.5, "linestyle": "none", "clip_on": False}
        axes.plot(chart.marks, foot, color=COLOURS["bad"], gid="marks", transform=axes.get_xaxis_transform(), **style)
        tips["marks"] = [f"lost at {mark:.2f}" for mark in chart.marks]
    _draw_limit(axes, chart)
    for index, line in enumerate(chart.lines):
        _draw_line(axes, line, series(index), f"line-{index}", tips)
    return svg(drawing, chart.title, "; ".join(_described(chart)), tips)


def _draw_axes(axes: Any, chart: Chart) -> None:
    """Limits, ticks, grid and the names of the axes."""
    x, y = _extents(chart)
    axes.set_xlim(*_limits(x, chart.logarithmic[0]))
    axes.set_ylim(*_limits(y, chart.logarithmic[1], BAND_ROOM if chart.bands else ROOM))
    _style(axes, chart.logarithmic)
    axes.grid(axis="y", color=COLOURS["muted"], alpha=0.28)
    quiet = {"fontsize": 12, "color": COLOURS["second"]}
    axes.text(1.0, -(BOTTOM - 9) / (HEIGHT - TOP - BOTTOM), chart.x, ha="right", transform=axes.transAxes, **quiet)
    axes.text(
        -(LEFT - 12) / (WIDTH - LEFT - RIGHT),
        1 + 12 / (HEIGHT - TOP - BOTTOM),
        chart.y,
        transform=axes.transAxes,
        **quiet,
    )


def _style(axes: Any, logarithmic: tuple[bool, bool]) -> None:
    """A single base line, and few round ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["axis"])
    axes.tick_params(colors=COLOURS["axis"], labelcolor=COLOURS["muted"], labelsize=12, length=4)
    axes.tick_params(axis="y", length=0, pad=8)
    for axis, bent, count in ((axes.xaxis, logarithmic[0], 8), (axes.yaxis, logarithmic[1], 5)):
        if bent:
            axis.axes.set(**{f"{axis.axis_name}scale": "log"})
            low, high = axis.get_view_interval()
            wide = math.log10(high / low) > 3
            axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        else:
            axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}".replace(",", " ")))


def _extents(chart: Chart) -> tuple[list[float], list[float]]:
    """All values that the axes x and y must hold."""
    x = [value for line in chart.lines for value in line.x]
    y = [value for line in chart.lines for value in line.y]
    x += [end for band in chart.bands for end in (band.begin, band.end)] + list(chart.marks)
    if chart.limit is not None:
        (x if _limits_x(chart) else y).append(chart.limit)
    return x, y


def _limits(values: Sequence[float], logarithmic: bool, room: float = ROOM) -> tuple[float, float]:
    """Ends of an axis that holds all values, with room; a linear one begins at 0 where no value is negative."""
    held = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)] or [0.1, 1.0]
    low, high = min(held), max(held)
    if logarithmic:
        return low / 1.25, max(high * 1.25, low * 2)
    low = min(low, 0.0)
    space = room * (high - low or 1.0)
    return low - (space if low < 0 else 0.0), high + space


def _limits_x(chart: Chart) -> bool:
    """Whether the limit lies on the x axis, as in a distribution."""
    return chart.y.startswith("share")


def _draw_line(axes: Any, line: Line, colour: str, gid: str, tips: Tips) -> None:
    labels = line.labels or ("",) * len(line.x)
    points = [p for p in zip(line.x, line.y, labels, strict=True) if math.isfinite(p[0]) and math.isfinite(p[1])]
    if not points:
        return
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if line.drawn != "points":
        dashes = {"linestyle": (0, (5, 4)), "linewidth": 1.5} if line.drawn == "fit" else {"linewidth": 2.0}
        steps = "steps-post" if line.drawn == "steps" else "default"
        axes.plot(xs, ys, color=colour, drawstyle=steps, gid=gid, **dashes)
        tips[gid] = [line.name]
        return
    small = len(points) > LABELLED * 2
    size, edge = (4.4, "none") if small else (9.0, COLOURS["surface"])
    axes.plot(xs, ys, "o", color=colour, markersize=size, markeredgecolor=edge, markeredgewidth=1, gid=gid)
    tips[gid] = [f"{label or line.name}: {number(y)} at {number(x)}" for x, y, label in points]
    if line.labels and len(points) <= LABELLED:
        _draw_labels(axes, points)


def _draw_labels(axes: Any, points: Sequence[tuple[float, float, str]]) -> None:
    """First words of the labels, each where it overlaps no other; the whole label is a tooltip."""
    taken: list[tuple[float, float, float]] = []
    placed = [(*axes.transData.transform((x, y)), x, y, label.split()[0]) for x, y, label in points]
    for left, up, x, y, text in sorted(placed, key=lambda one: -one[1]):
        wide = len(text) * _LETTER
        at_end = left + 8 + wide > WIDTH - RIGHT
        begin = left - 8 - wide if at_end else left + 8
        if any(begin < right and begin + wide > start and abs(up - at) < 11 for start, right, at in taken):
            continue
        taken.append((begin, begin + wide, up))
        side = {"xytext": (-8 if at_end else 8, -4), "textcoords": "offset points", "ha": "right" if at_end else "left"}
        axes.annotate(text, (x, y), fontsize=LABEL, color=COLOURS["second"], **side)


def _draw_band(axes: Any, band: Band, gid: str, tips: Tips) -> None:
    level = LEVELS.get(band.name)
    colour, opacity = (COLOURS["muted"], NEUTRAL) if level is None else (COLOURS["tint"], level)
    axes.axvspan(band.begin, band.end, facecolor=colour, alpha=opacity, edgecolor="none", gid=gid, zorder=0.5)
    tips[gid] = [f"{band.name}, {number(band.begin)} to {number(band.end)} s"]
    left, right = (axes.transData.transform((end, 1.0))[0] for end in (band.begin, band.end))
    if right - left > len(band.name) * _LETTER + 8:
        down = -26 if level is None else -12
        axes.annotate(
            band.name,
            (band.begin, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, down),
            textcoords="offset points",
            fontsize=LABEL,
            color=COLOURS["second"],
        )


def _draw_limit(axes: Any, chart: Chart) -> None:
    if chart.limit is None:
        return
    words, style = (
        f"promised {number(chart.limit)}",
        {"color": COLOURS["bad"], "linestyle": (0, (2, 3)), "linewidth": 1},
    )
    text = {"textcoords": "offset points", "fontsize": LABEL, "color": COLOURS["second"]}
    if _limits_x(chart):
        axes.axvline(chart.limit, **style)
        room = axes.transData.transform((chart.limit, 0.0))[0] - LEFT > len(words) * _LETTER
        side, offset = ("right", -5) if room else ("left", 5)
        axes.annotate(
            words, (chart.limit, 0.0), xycoords=axes.get_xaxis_transform(), xytext=(offset, 6), ha=side, **text
        )
    else:
        axes.axhline(chart.limit, **style)
        axes.annotate(words, (1.0, chart.limit), xycoords=axes.get_yaxis_transform(), xytext=(0, 5), ha="right", **text)


def _stacked(chart: Chart) -> Markup:
    """The picture of a chart whose lines are parts of horizontal bars."""
    count = len(chart.lines[0].x)
    height = count * BAR_STEP + BAR_FOOT
    drawing = blank(WIDTH, height)
    axes = drawing.add_axes((8 / WIDTH, BAR_FOOT / height, (WIDTH - 56) / WIDTH, 1 - (BAR_FOOT + 4) / height))
    ends = [sum(line.x[bar] for line in chart.lines) for bar in range(count)]
    axes.set_xlim(*_limits(ends, False))
    axes.set_ylim(count, 0.0)
    _style(axes, (False, False))
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", color=COLOURS["muted"], alpha=0.28)
    foot = -(BAR_FOOT - 6) / (height - BAR_FOOT)
    axes.text(1.0, foot, chart.x, ha="right", transform=axes.transAxes, color=COLOURS["second"])
    tips: Tips = {}
    _draw_bars(axes, chart, tips)
    for bar, (name, end) in enumerate(zip(chart.lines[0].labels, ends, strict=True)):
        axes.text(0.0, bar + 0.32, name, fontsize=LABEL, color=COLOURS["second"])
        style = {"textcoords": "offset points", "va": "center", "fontsize": 12, "color": COLOURS["muted"]}
        axes.annotate(number(end), (end, bar + BAR_MIDDLE), xytext=(5, 0), **style)
    return svg(drawing, chart.title, "; ".join(_described_bars(chart)), tips)


def _draw_bars(axes: Any, chart: Chart, tips: Tips) -> None:
    """Each part behind the one before."""
    middles = [bar + BAR_MIDDLE for bar in range(len(chart.lines[0].x))]
    begins = [0.0] * len(middles)
    for index, line in enumerate(chart.lines):
        bars = axes.barh(middles, line.x, 0.48, begins, color=series(index), edgecolor=COLOURS["surface"], linewidth=1)
        for bar, patch in enumerate(bars):
            patch.set_gid(f"part-{index}-{bar}")
            tips[f"part-{index}-{bar}"] = [f"{line.name}: {number(line.x[bar])}"]
        begins = [begin + wide for begin, wide in zip(begins, line.x, strict=True)]


def _described(chart: Chart) -> Iterator[str]:
    """What a chart shows, in words for those who do not see it."""
    yield f"{chart.y} over {chart.x}"
    for line in chart.lines:
        held = [y for x, y in zip(line.x, line.y, strict=True) if math.isfinite(x) and math.isfinite(y)]
        if held:
            yield f"{line.name}: {len(held)} points from {number(min(held))} to {number(max(held))}"
    for band in chart.bands:
        yield f"{band.name} from {number(band.begin)} to {number(band.end)}"
    if chart.marks:
        yield f"{len(chart.marks)} lost"
    if chart.limit is not None:
        yield f"promised {number(chart.limit)}"


def _described_bars(chart: Chart) -> Iterator[str]:
    yield chart.x
    for bar, name in enumerate(chart.lines[0].labels):
        yield f"{name}: " + ", ".join(f"{line.name} {number(line.x[bar])}" for line in chart.lines)


def _legend(chart: Chart) -> Markup | str:
    names = [
        tag("span", tag("i", class_=f"swatch {line.drawn} s{index % SERIES + 1}"), line.name)
        for index, line in enumerate(chart.lines)
    ]
    levels = dict.fromkeys(band.name for band in chart.bands)
    names += [tag("span", tag("i", class_=f"swatch band {_band_kind(name)}"), name) for name in levels]
    names += [tag("span", tag("i", class_="swatch lost"), f"lost ({len(chart.marks)})")] if chart.marks else []
    return tag("div", names, class_="legend") if len(names) > 1 else ""


def _band_kind(name: str) -> str:
    return f"level{list(LEVELS).index(name)}" if name in LEVELS else "other"
