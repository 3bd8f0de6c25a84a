"""The chart of the README: latency by path, drawn from a file of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mien.errors import SettingError
from mien_bench.formatting import number
from mien_bench.page.svg import COLOURS, blank, svg, svg_file
from mien_bench.report import Report
from mien_bench.results import Row

TITLE: Final = "How long a frame takes, from the camera to the viewer"
ENGINE: Final = ("The engine alone", "all stages of one frame")
PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "memory": ("Inside one process", "camera and engine, no codec"),
    "file": ("Recorded to a file", "until the encoder has the frame"),
    "virtual": ("Virtual camera", "read by another program"),
    "pipe": ("Through a pipe", "decoded by another program"),
    "udp": ("Streamed over UDP", "decoded by another program"),
    "webrtc": ("WebRTC", "one connection, there and back"),
    "whip": ("WHIP in, WHEP out", "published, then watched"),
    "browser": ("Web page", "Chromium sends and displays"),
}
"""Paths of `mien bench latency` for a newcomer, in the order of the chart. "offline" is not live, so it is not one."""
CHARTED: Final = ("stages", "latency")
"""Benches whose results are drawn."""
GOOD_MS: Final = 150.0
"""One-way delay up to which a conversation is good (ITU-T G.114)."""
BUSY: Final = 0.10
"""Fraction of the processors used by other processes from which the chart names them."""
WIDTH: Final = 760
LEFT, RIGHT, TOP, STEP, FOOT = 204, 164, 98, 38, 92
"""Pixels: names, figures, title and legend, a row, axis and footnotes."""
MARGIN, P50, P95 = 20, 92, 20
"""Pixels from the left end of names, and from the right end of the columns of figures, to the edge."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A path's latency in milliseconds, medians over the repetitions."""

    name: str
    about: str
    p50: float
    p95: float


def latency_chart(reports: Sequence[Report]) -> str:
    """An SVG file of the first report that holds latencies of paths, with the stages of any report of its machine.

    Raises:
        SettingError: none does.
    """
    report = next((one for one in reports if list(_bars_of_paths(one))), None)
    if report is None:
        raise SettingError(
            "results: expected latencies of paths, got none; write them by `mien bench all --json FILE` or "
            "`mien bench latency --json FILE`"
        )
    same_machine = [one for one in reports if one.machine.get("processor") == report.machine.get("processor")]
    engine = next((bar for one in same_machine for bar in _bars_of_engine(one)), None)
    return svg_file(_drawn([*([engine] if engine else []), *_bars_of_paths(report)], _footnotes(report, same_machine)))


def _rows(report: Report, bench: str) -> list[Row]:
    return [row for result in report.results if result.bench == bench for row in result.rows]


def _bars_of_paths(report: Report) -> Iterator[Bar]:
    """One for each path that has a name here, over no impaired network, with no planted fault."""
    plain = [row for row in _rows(report, "latency") if _is_plain(row)]
    for path, names in PATHS.items():
        rows = [row for row in plain if row.condition.get("path") == path]
        found = {rank: _first(rows, f"glass to glass {rank}") for rank in ("p50", "p95")}
        if found["p50"] is not None and found["p95"] is not None:
            yield Bar(*names, found["p50"].median, found["p95"].median)


def _bars_of_engine(report: Report) -> Iterator[Bar]:
    """One, where stages were measured: the rows that are published."""
    heads = [row for row in _rows(report, "stages") if row.headline]
    p50, p95 = (next((row for row in heads if row.name.endswith(rank)), None) for rank in ("p50", "p95"))
    if p50 is not None and p95 is not None:
        yield Bar(*ENGINE, p50.median, p95.median)


def _first(rows: Sequence[Row], name: str) -> Row | None:
    return next((row for row in rows if row.name == name), None)


def _is_plain(row: Row) -> bool:
    return not any(name == "network" or name.startswith("planted") for name in row.condition)


def _footnotes(report: Report, drawn: Sequence[Report]) -> list[tuple[str, str]]:
    """Lines below the chart, each with the name of its colour: the machine, the settings, and whether it was busy."""
    machine, when = report.machine, datetime.fromisoformat(report.when)
    row = next(row for row in _rows(report, "latency") if "path" in row.condition)
    words = {"model": "model {}", "size": "portrait of {} pixels", "driver": "camera of {}", "backend": "backend {}"}
    settings = [form.format(row.condition[name]) for name, form in words.items() if name in row.condition]
    where = (
        f"{machine.get('processor', 'Unknown processor')}, {machine.get('cores', '?')} cores, both ends of each path"
    )
    lines = [
        (f"{where}; {when:%d %B %Y}; mien {report.versions.get('mien', '?')}", "muted"),
        (f"{', '.join(settings)}; medians of {len(row.values)} repetitions", "muted"),
    ]
    results = [result for one in drawn for result in one.results if result.bench in CHARTED]
    if any(result.steadiness.noisy for result in results):
        others = max(result.steadiness.others for result in results)
        why = f"other processes used up to {others:.0%} of it" if others > BUSY else "its speed varied"
        lines.append((f"Measured while the machine was busy ({why}): expect lower figures on an idle one.", "bad"))
    return lines


def _drawn(bars: Sequence[Bar], footnotes: Sequence[tuple[str, str]]) -> str:
    height = TOP + STEP * len(bars) + FOOT
    drawing = blank(WIDTH, height)
    axes = drawing.add_axes(
        (LEFT / WIDTH, FOOT / height, (WIDTH - LEFT - RIGHT) / WIDTH, (height - TOP - FOOT) / height)
    )
    axes.set_xlim(0.0, 1.02 * max(GOOD_MS, *(bar.p95 for bar in bars)))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    _draw_scale(axes)
    for index, bar in enumerate(bars):
        axes.barh(index, bar.p95, 0.52, color=COLOURS["s1"], alpha=0.3, edgecolor="none", gid=f"p95-{index}")
        axes.barh(index, bar.p50, 0.52, color=COLOURS["s1"], edgecolor="none", gid=f"p50-{index}")
        _draw_words(axes, index, bar)
    _draw_head(drawing, height)
    for line, (text, colour) in enumerate(footnotes):
        drawing.text(MARGIN / WIDTH, (FOOT - 52 - 16 * line) / height, text, fontsize=11, color=COLOURS[colour])
    described = "; ".join(
        f"{bar.name}: half within {number(bar.p50)} ms, 95 of 100 within {number(bar.p95)} ms" for bar in bars
    )
    return svg(drawing, TITLE, "; ".join([described, *(text for text, _ in footnotes)]), {})


def _draw_scale(axes: Any) -> None:
    """Milliseconds below, a faint grid, and the line up to which a conversation is good."""
    from matplotlib.ticker import MaxNLocator

    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter("{x:g} ms")
    axes.tick_params(axis="x", length=0, pad=6, labelsize=11, labelcolor=COLOURS["muted"])
    axes.grid(axis="x", color=COLOURS["muted"], alpha=0.28)
    axes.axvline(GOOD_MS, ymax=1.0, color=COLOURS["s2"], linewidth=1.5, linestyle=(0, (4, 3)))
    side = "center" if 0.4 * axes.get_xlim()[1] < GOOD_MS else "left"
    style = {"ha": side, "fontsize": 11, "color": COLOURS["second"], "textcoords": "offset points"}
    words = f"up to {GOOD_MS:g} ms: good for a conversation (ITU-T G.114)"
    axes.annotate(words, (GOOD_MS, 1.0), xycoords=axes.get_xaxis_transform(), xytext=(0, 6), **style)


def _draw_words(axes: Any, index: int, bar: Bar) -> None:
    """What a bar is, left of it, and its figures, right of it."""
    at = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    axes.annotate(bar.name, (0.0, index), xytext=(MARGIN - LEFT, 2), fontsize=13, color=COLOURS["ink"], **at)
    axes.annotate(bar.about, (0.0, index), xytext=(MARGIN - LEFT, -11), fontsize=11, color=COLOURS["muted"], **at)
    for edge, value, weight, colour in ((P50, bar.p50, "bold", "ink"), (P95, bar.p95, "normal", "second")):
        style = {"ha": "right", "fontsize": 13, "fontweight": weight, "color": COLOURS[colour]}
        axes.annotate(f"{value:.0f} ms", (1.0, index), xytext=(RIGHT - edge, -5), **style, **at)


def _draw_head(drawing: Any, height: float) -> None:
    """Title, legend, and the heads of the columns of figures."""
    drawing.text(MARGIN / WIDTH, 1 - 32 / height, TITLE, fontsize=17, fontweight="bold", color=COLOURS["ink"])
    for left, words, opacity in (
        (20, "half of the frames arrive within this time", 1.0),
        (292, "95 of 100 frames do", 0.3),
    ):
        axes = drawing.add_axes((left / WIDTH, 1 - 58 / height, 12 / WIDTH, 12 / height))
        axes.set_axis_off()
        axes.fill_between([0, 1], 0, 1, color=COLOURS["s1"], alpha=opacity, linewidth=0)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        drawing.text((left + 18) / WIDTH, 1 - 56 / height, words, fontsize=12, color=COLOURS["second"])
    for edge, words in ((P50, "half"), (P95, "95 %")):
        style = {"ha": "right", "fontsize": 11, "color": COLOURS["muted"]}
        drawing.text(1 - edge / WIDTH, 1 - (TOP - 6) / height, words, **style)
