"""The page: checks first, then each bench, then the machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import resources
from typing import Final

from mien_bench.formatting import condition_text, number
from mien_bench.page.html import Markup, figures, tag
from mien_bench.page.plot import figure
from mien_bench.page.svg import THEME
from mien_bench.report import Report
from mien_bench.results import Check, Result, Row, Strip, Table

OPEN: Final = 60
"""Most rows that are shown unfolded."""


def document(reports: Sequence[Report]) -> str:
    """A whole HTML file; everything that it shows is in it."""
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", "mien bench"),
        tag("style", Markup(THEME + _file("page.css"))),
    )
    body = tag(
        "body",
        _top(reports),
        tag("main", *(part for report in reports for part in _report(report))),
        tag("script", Markup(_file("page.js"))),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _top(reports: Sequence[Report]) -> Markup:
    toggle = tag("button", "theme", id="theme", type="button", title="light or dark")
    return tag("header", tag("h1", "mien ", tag("span", "bench")), tag("nav", _links(reports)), toggle, class_="top")


def _links(reports: Sequence[Report]) -> list[Markup]:
    return [
        tag("a", result.bench, href=f"#{_anchor(report, result)}", class_="" if _kept(result) else "broken")
        for report in reports
        for result in report.results
    ]


def _report(report: Report) -> list[Markup]:
    return [
        tag(
            "section",
            tag("p", _line_of_machine(report), class_="machine"),
            _verdict(report),
            _noise(report),
            _headlines(report),
            class_="summary",
        ),
        *(_bench(report, result) for result in report.results),
        _facts(report),
    ]


def _line_of_machine(report: Report) -> list[str]:
    machine = report.machine
    when = datetime.fromisoformat(report.when)
    facts = f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"
    return [
        f"{when:%d %B %Y, %H:%M} UTC · ",
        tag("strong", facts),
        f" · mien {report.versions.get('mien', '?')}, {report.profile}",
    ]


def _verdict(report: Report) -> Markup:
    """How many checks passed, and each that failed with a link to its bench."""
    checks = [(result, check) for result in report.results for check in result.checks]
    broken = [(result, check) for result, check in checks if not check.kept]
    if not checks:
        return tag("div", tag("h2", "Nothing was promised here."), class_="verdict")
    kept = f"{len(checks) - len(broken)} of {len(checks)}"
    items = [
        tag("li", tag("a", result.bench, href=f"#{_anchor(report, result)}"), " ", *_words(check))
        for result, check in broken
    ]
    return tag(
        "div",
        tag("h2", tag("b", kept), " promises kept"),
        tag("ul", items, class_="broken") if items else "",
        class_=f"verdict {'bad' if broken else 'good'}",
    )


def _noise(report: Report) -> Markup | str:
    noisy = [result for result in report.results if result.steadiness.noisy]
    if not noisy:
        return ""
    lines = [tag("li", tag("b", result.bench), " ", result.steadiness.words) for result in noisy]
    title = tag("h3", "The machine was too noisy: do not rely on these timings")
    return tag("div", title, tag("ul", lines), class_="noise")


def _headlines(report: Report) -> Markup | str:
    rows = [(row, result.steadiness.noisy) for result in report.results for row in result.rows if row.headline]
    return tag("div", (_tile(row, noisy) for row, noisy in rows), class_="tiles") if rows else ""


def _tile(row: Row, noisy: bool) -> Markup:
    low, high = row.spread
    spread = f"{number(low)} to {number(high)}" if len(row.values) > 1 else "one value"
    return tag(
        "div",
        tag("div", row.headline, class_="name"),
        tag("div", tag("b", number(row.median)), " ", row.unit, class_="value"),
        tag("div", f"{spread} · {condition_text(row.condition)}", class_="quiet"),
        class_="tile noisy" if noisy else "tile",
    )


def _bench(report: Report, result: Result) -> Markup:
    noise = result.steadiness
    chip = tag("span", noise.words, class_=f"chip {'noisy' if noise.noisy else 'steady'}") if noise.words else ""
    return tag(
        "section",
        tag("h2", result.bench, " ", tag("small", f"{result.seconds:.0f} s")),
        tag("p", result.about, class_="about"),
        chip,
        _checks(result.checks),
        tag("div", map(figure, result.charts), class_="charts") if result.charts else "",
        *(_strip(strip) for strip in result.strips),
        *(_table(table) for table in result.tables),
        *_rows(result.rows),
        tag("ul", (tag("li", note) for note in result.notes), class_="notes") if result.notes else "",
        id=_anchor(report, result),
    )


def _rows(rows: Sequence[Row]) -> Iterator[Markup]:
    """Rows that are judged, open where there are few; then rows for comparison only."""
    judged = [row for row in rows if row.better != "neither"]
    compared = [row for row in rows if row.better == "neither"]
    for words, some in ((f"{len(judged)} figures", judged), (f"{len(compared)} more, for comparison", compared)):
        if some:
            shown = "" if len(some) <= OPEN and some is judged else None
            yield tag("details", tag("summary", words), figures(some), open=shown)


def _checks(checks: Sequence[Check]) -> Markup | str:
    ordered = sorted(checks, key=lambda check: check.kept)
    items = (tag("li", *_words(check), class_="kept" if check.kept else "broken") for check in ordered)
    return tag("ul", items, class_="checks") if checks else ""


def _words(check: Check) -> tuple[Markup | str, ...]:
    return check.name, " ", tag("b", check.got), " ", tag("span", f"wanted {check.wanted}", class_="quiet")


def _table(table: Table) -> Markup:
    head = tag("tr", (tag("th", name) for name in table.columns))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            (tag("td", cell) for cell in row[1:]),
            class_="quoted" if i in table.quoted else None,
        )
        for i, row in enumerate(table.rows)
    ]
    notes = tag("ul", (tag("li", note) for note in table.notes), class_="notes") if table.notes else ""
    key = tag("p", "Slanted rows are quoted, not measured here.", class_="quiet") if table.quoted else ""
    whole = tag("table", tag("thead", head), tag("tbody", body), class_="paper")
    return tag("figure", tag("h4", table.title), tag("div", whole, class_="scroll"), key, notes)


def _strip(strip: Strip) -> Markup:
    picture = f"data:image/jpeg;base64,{base64.b64encode(strip.jpeg).decode()}"
    image = Markup(f'<img src="{picture}" alt="{", ".join(strip.labels).replace(chr(34), "")}">')
    labels = tag("div", (tag("span", label) for label in strip.labels), class_="over")
    about = tag("p", strip.about, class_="quiet") if strip.about else ""
    return tag("figure", tag("h4", strip.title), labels, image, about, class_="strip")


def _facts(report: Report) -> Markup:
    facts = [(name, str(value)) for name, value in report.machine.items()]
    return tag(
        "section",
        tag("h2", "Machine and versions"),
        tag("dl", (Markup(tag("dt", name) + tag("dd", value)) for name, value in facts)),
        tag("dl", (Markup(tag("dt", name) + tag("dd", value)) for name, value in report.versions.items())),
        class_="facts",
    )


def _kept(result: Result) -> bool:
    return all(check.kept for check in result.checks)


def _anchor(report: Report, result: Result) -> str:
    return f"{result.bench}-{report.when.replace(':', '')}"


def _file(name: str) -> str:
    return resources.files("mien_bench.page").joinpath(name).read_text()
