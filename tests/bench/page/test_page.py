"""The page: complete, escaped, and without anything that a network would have to bring."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.bench.samples_of_results import everything, report, result, row

from mien_bench import command
from mien_bench.charts import stack
from mien_bench.page import write
from mien_bench.page.document import document
from mien_bench.page.html import Markup, tag
from mien_bench.page.plot import figure
from mien_bench.page.scale import Scale, scale_over, tick_text
from mien_bench.report import read
from mien_bench.report import write as write_results
from mien_bench.results import Chart, Line


class Tree(HTMLParser):
    """Whether every element is closed, and what each attribute that names a file names."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.named: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.named += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_holds_everything_and_needs_no_network() -> None:
    text = document([everything()])
    tree = Tree()
    tree.feed(text)
    assert tree.open == []
    assert all(name.startswith(("#", "data:image/jpeg;base64,")) for name in tree.named)
    assert not re.search(r"https?://|@import|url\(", text)
    for words in ("1 of 2", "promises kept", "too noisy", "a frame", "Cost over N", "Slanted rows", "no camera here"):
        assert words in text
    assert "Abacus &lt;2&gt;" in text
    assert "70 ms &amp; more" in text


def test_every_link_has_its_place() -> None:
    text = document([everything()])
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text


def test_a_page_is_made_of_files(tmp_path: Path) -> None:
    write_results(tmp_path / "a.json", everything())
    assert command.main(["page", str(tmp_path / "a.json"), "--html", str(tmp_path / "a.html")]) == 0
    write(tmp_path / "b.html", everything())
    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text()


def test_pages_show_runs_that_found_nothing() -> None:
    assert "Nothing was promised" in document([report(result(row(1.0)), result(bench="long"))])


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b", tag("b", "c"), title='"', class_="x", y=1.50) == (
        '<p title="&quot;" class="x" y="1.5">a &lt; b<b>c</b></p>'
    )
    assert isinstance(tag("p"), Markup)


def test_a_figure_is_well_formed_and_within_its_frame() -> None:
    points = Line("ops", (0.1, 1.0, 10.0), (2.0, 30.0, 4.0), "points", ("a one", "b two", "c three"))
    chart = Chart("Roof", "flop/B", "GFLOP/s", (points,), logarithmic=(True, True))
    svg = ElementTree.fromstring(re.search(r"<svg.*</svg>", figure(chart))[0])  # type: ignore[index]
    circles = list(svg.iter("circle"))
    assert len(circles) == 3
    assert all(0 < float(one.attrib["cx"]) < 640 and 0 < float(one.attrib["cy"]) < 340 for one in circles)
    assert [one.text for one in svg.iter("text") if one.text in ("a", "b", "c")] == ["b", "c", "a"]


def test_what_is_not_finite_is_not_drawn(tmp_path: Path) -> None:
    lines = (
        Line("gap", (0.0, 1.0, 2.0), (1.0, math.nan, 3.0)),
        Line("dots", (math.inf, 1.0), (1.0, 2.0), "points"),
        Line("none", (math.nan,), (1.0,)),
    )
    whole = report(replace(result(row(1.0)), charts=(Chart("Gaps", "x", "y", lines),)))
    write_results(tmp_path / "a.json", whole)
    for found in (whole, read(tmp_path / "a.json")):
        text = document([found])
        assert "nan" not in re.findall(r"<svg.*?</svg>", text)[0]
        assert text.count("<circle") - text.count('class="value"') == 1


def test_bars_begin_where_the_part_before_ends() -> None:
    found = figure(stack("time", "ms", {"warp": {"parse": 2.0, "fuse": 1.0}, "live": {"parse": 6.0}}))
    svg = ElementTree.fromstring(re.search(r"<svg.*</svg>", found)[0])  # type: ignore[index]
    parse, fuse, other, none = svg.iter("rect")
    assert float(fuse.attrib["x"]) == pytest.approx(float(parse.attrib["x"]) + float(parse.attrib["width"]), abs=0.02)
    assert float(other.attrib["width"]) == pytest.approx(3 * float(parse.attrib["width"]), abs=0.1)
    assert none.attrib["width"] == "0"


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.37), (-3.0, 8.0), (0.0, 123456.0)])
def test_ticks_are_round_and_within(low: float, high: float) -> None:
    scale = scale_over([low, high], 0, 100)
    ticks = scale.ticks(5)
    assert 3 <= len(ticks) <= 11
    assert all(scale.low <= tick <= scale.high + 1e-9 for tick in ticks)
    assert len({tick_text(tick, ticks) for tick in ticks}) == len(ticks)


def test_scales_go_from_end_to_end() -> None:
    assert Scale(0, 10, 100, 0)(2.5) == pytest.approx(75)
    assert Scale(1, 100, 0, 10, logarithmic=True)(10) == pytest.approx(5)
    assert Scale(1, 100, 0, 10, logarithmic=True).ticks(5) == [1, 2, 5, 10, 20, 50, 100]
    assert math.isfinite(scale_over([], 0, 1)(0.5))
