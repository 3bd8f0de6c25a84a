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


def _drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", figure(chart), re.S)[0])  # type: ignore[index]


def test_a_figure_is_well_formed_and_within_its_frame() -> None:
    points = Line("ops", (0.1, 1.0, 10.0), (2.0, 30.0, 4.0), "points", ("a one", "b two", "c three"))
    svg = _drawn(Chart("Roof", "flop/B", "GFLOP/s", (points,), logarithmic=(True, True)))
    dots = [one for one in svg.iter("use") if one.find("title") is not None]
    assert [one.findtext("title") for one in dots] == [
        "a one: 2.00 at 0.100",
        "b two: 30.0 at 1.00",
        "c three: 4.00 at 10.0",
    ]
    assert all(0 < float(one.attrib["x"]) < 640 and 0 < float(one.attrib["y"]) < 340 for one in dots)
    assert [one.text for one in svg.iter("text") if one.text in ("a", "b", "c")] == ["b", "c", "a"]


def test_a_chart_is_described_in_words_follows_the_theme_and_is_drawn_alike_each_time() -> None:
    chart = Chart("A $ & <b>", "s", "ms", (Line("file", (0.0, 1.0), (20.0, 30.0)),), marks=(0.5,), limit=100.0)
    svg = _drawn(chart)
    title, about = (svg.find(name) for name in ("title", "desc"))
    assert title is not None
    assert title.text == "A $ & <b>"
    assert about is not None
    assert about.text == "ms over s; file: 2 points from 20.0 to 30.0; 1 lost; promised 100"
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], about.attrib["id"]]
    assert [one.findtext("title") for one in svg.iter("use") if one.find("title") is not None] == ["lost at 0.50"]
    assert figure(chart) == figure(chart)
    assert not re.search(r"#[0-9a-f]{6}\b|font-family|<style", figure(chart))


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
        assert "nan" not in re.findall(r"<svg.*?</svg>", text, re.S)[0].replace("instance", "")
        assert text.count("<title>dots: 2.00 at 1.00</title>") == 1
        assert text.count("<title>dots") == 1


def test_bars_begin_where_the_part_before_ends() -> None:
    svg = _drawn(stack("time", "ms", {"warp": {"parse": 2.0, "fuse": 1.0}, "live": {"parse": 6.0}}))
    ends = {}
    for group in svg.iter("g"):
        title, path = group.findtext("title"), group.find("path")
        if title is not None and path is not None:
            xs = [float(x) for x, _ in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path.attrib["d"])]
            ends[title] = min(xs), max(xs)
    assert list(ends) == ["parse: 2.00", "parse: 6.00", "fuse: 1.00", "fuse: 0.000"]
    parse, other, fuse, none = ends.values()
    assert fuse[0] == pytest.approx(parse[1], abs=0.02)
    assert other[1] - other[0] == pytest.approx(3 * (parse[1] - parse[0]), abs=0.1)
    assert none[0] == none[1]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.37), (-3.0, 8.0), (0.0, 123456.0)])
def test_ticks_are_round_and_within(low: float, high: float) -> None:
    texts = [one.text or "" for one in _drawn(_line_from(low, high)).iter("text")]
    ticks = [float(text.replace(" ", "")) for text in texts if re.fullmatch(r"-?[\d. ]+", text)]
    across = ticks[: ticks.index(max(ticks)) + 1]
    assert 3 <= len(across) <= 11
    assert len(set(across)) == len(across)
    assert all(1.04 * min(low, 0.0) - 0.5 <= tick <= 1.05 * high for tick in across)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_values_lie_where_their_ticks_are(logarithmic: bool) -> None:
    values = (1.0, 2.0, 5.0, 10.0)
    chart = Chart("t", "x", "y", (Line("l", values, values, "points"),), logarithmic=(logarithmic, logarithmic))
    svg = _drawn(chart)
    dots = [float(one.attrib["x"]) for one in svg.iter("use") if one.find("title") is not None]
    names = {one.text: float(one.attrib["x"]) for one in svg.iter("text") if "middle" in one.attrib.get("style", "")}
    assert dots[-1] == pytest.approx(names["10"], abs=0.01)
    assert dots[1] == pytest.approx(names["2"], abs=0.01)


def test_a_chart_without_points_has_axes() -> None:
    assert _drawn(Chart("t", "x", "y", (Line("l", (), ()),))).find("g") is not None


def _line_from(low: float, high: float) -> Chart:
    return Chart("t", "x", "y", (Line("l", (low, high), (0.0, 0.0)),))
