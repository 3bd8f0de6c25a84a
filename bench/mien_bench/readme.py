"""`mien bench readme`: the README's chart and the table of figures, from files of results; none is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from mien.commands.options import Options, need_places
from mien.errors import SettingError, SourceError
from mien.machine import outputs
from mien_bench.formatting import condition_text, number
from mien_bench.latency_chart import CHARTED, latency_chart
from mien_bench.report import Report, read
from mien_bench.results import Fact, Result, Row

BEGIN: Final = "<!-- figures: begin; written by `make bench-readme` -->"
_RANKED: Final = re.compile(r"(.*?)(?:, (p\d+))?")
"""A headline, and the rank at its end."""
END: Final = "<!-- figures: end -->"


def main(arguments: list[str]) -> int:
    """Write the README's chart, and the figures between the marks of a page, from files of results.

    Raises:
        SourceError: a file does not hold results, or the page has no marks.
        SettingError: there is nothing to publish, or the machine was too noisy.
        SinkError: a file cannot be written.
    """
    parser = Options(prog="mien bench readme", description="Write the README's chart, and a page's table of figures.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="one for each machine")
    parser.add_argument(
        "--chart", type=Path, default=Path("docs/latency.svg"), metavar="FILE", help="(docs/latency.svg)"
    )
    parser.add_argument(
        "--figures", type=Path, metavar="PAGE", help="also the table of figures, between the marks of it"
    )
    parser.add_argument("--noisy", action="store_true", help="allow figures of a noisy machine, which say so")
    options = parser.parse_args(arguments)
    need_places([options.chart, options.figures], map(str, options.files))
    reports = [read(path) for path in options.files]
    written = {options.chart: chart(reports, options.noisy)}
    if options.figures is not None:
        table = figures(reports, options.noisy)
        written[options.figures] = replaced(_text(options.figures), table, options.figures)
    for path, text in written.items():
        outputs.write(path, text.encode())
        print(f"{path} is written")
    return 0


def chart(reports: Sequence[Report], noisy: bool = False) -> str:
    """The chart of latencies as an SVG file; see `figures`."""
    _need_steady([result for report in reports for result in report.results if result.bench in CHARTED], noisy)
    return latency_chart(reports)


def figures(reports: Sequence[Report], noisy: bool = False) -> str:
    """A paragraph and a table for each machine: the rows with a headline.

    Raises:
        SettingError: there are none, or they come from a machine that was too noisy and `noisy` does not allow that.
    """
    _need_steady([result for report in reports for result in _published(report)], noisy)
    parts = [part for report in reports if list(_published(report)) for part in _paragraph(report)]
    if not parts:
        raise SettingError("the files hold no figures for a README; run `mien bench all`")
    return "\n".join(parts).rstrip()


def replaced(text: str, table: str, path: Path) -> str:
    """A page with `table` between its marks.

    Raises:
        SourceError: the marks are missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SourceError(f"{path}: expected the lines {BEGIN!r} and {END!r}, got none; put them where figures belong")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _need_steady(results: Sequence[Result], noisy: bool) -> None:
    loud = [result.bench for result in results if result.steadiness.noisy]
    if loud and not noisy:
        raise SettingError(
            f"the machine must be steady for figures that are published, it was not for {', '.join(loud)}; run again "
            "with nothing beside, or allow it by --noisy"
        )


def _published(report: Report) -> Iterator[Result]:
    return (result for result in report.results if any(row.headline for row in result.rows))


def _paragraph(report: Report) -> Iterator[str]:
    """The machine, then a table of each bench's rows with a headline."""
    machine = report.machine
    when = datetime.fromisoformat(report.when)
    shared = _shared(report)
    yield (
        f"{machine.get('processor', 'Unknown processor')}, {machine.get('cores', '?')} cores, "
        f"{machine.get('system', machine.get('kernel', 'unknown system'))}; {when:%d %B %Y}; mien "
        f"{report.versions.get('mien', '?')}{'; ' if shared else ''}{condition_text(shared)}. "
        "Medians of the repetitions, quartiles in brackets."
    )
    yield ""
    for result in _published(report):
        yield from _table(result, shared)
        yield ""


def _table(result: Result, shared: Mapping[str, Fact]) -> Iterator[str]:
    """A line for each headline and condition, with a column for each of its ranks, such as p50."""
    rows = [row for row in result.rows if row.headline]
    common = {
        name: value
        for name, value in rows[0].condition.items()
        if name not in shared and all(row.condition.get(name) == value for row in rows)
    }
    notes = [result.about, *([condition_text(common)] if common else [])]
    caption = "; ".join([*notes, *(["on a noisy machine"] if result.steadiness.noisy else [])])
    yield f"{caption[:1].upper()}{caption[1:]}:"
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        title, rank = _RANKED.fullmatch(row.headline).groups("")  # type: ignore[union-attr]
        own = {name: value for name, value in row.condition.items() if name not in (*shared, *common)}
        lines.setdefault(", ".join(filter(None, (title, condition_text(own)))), {})[rank or "median"] = _cell(row)
    ranks = list(dict.fromkeys(rank for cells in lines.values() for rank in cells))
    yield from ("", f"| | {' | '.join(ranks)} |", f"|---|{'---|' * len(ranks)}")
    for name, cells in lines.items():
        yield f"| {name} | {' | '.join(cells.get(rank, '') for rank in ranks)} |"


def _cell(row: Row) -> str:
    low, high = row.spread
    spread = f" ({number(low)} to {number(high)})" if len(row.values) > 1 else ""
    return f"{number(row.median)} {row.unit}".rstrip() + spread


def _shared(report: Report) -> dict[str, Fact]:
    """Conditions that more than one bench has, with the same value in all."""
    values_of: dict[str, dict[str, set[Fact]]] = {}
    for result in _published(report):
        for row in result.rows:
            for name, value in row.condition.items() if row.headline else ():
                values_of.setdefault(name, {}).setdefault(result.bench, set()).add(value)
    alike = {name: set[Fact]().union(*benches.values()) for name, benches in values_of.items() if len(benches) > 1}
    return {name: values.pop() for name, values in alike.items() if len(values) == 1}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SourceError(
            f"{path}: expected a page with marks, could not read it ({error.strerror}); name it"
        ) from error
