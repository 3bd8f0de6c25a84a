"""`mien bench readme`: the README's figures, out of files of results, so that none is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from mien.commands.options import Options
from mien.errors import SettingError, SourceError
from mien.machine import outputs
from mien_bench.results import Fact, Result, Row
from mien_bench.results_file import Report, read
from mien_bench.telling import number, under

BEGIN: Final = "<!-- figures: begin; written by `make bench-readme` -->"
END: Final = "<!-- figures: end -->"


def main(arguments: list[str]) -> int:
    """Put the figures of files of results between the marks of a README.

    Raises:
        SourceError: a file does not hold results, or the README has no marks.
        SettingError: there is nothing to tell, or the machine was too noisy.
        SinkError: the README cannot be written.
    """
    parser = Options(prog="mien bench readme", description="Write a README's figures.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="one for each machine")
    parser.add_argument("--readme", type=Path, default=Path("README.md"), metavar="FILE", help="(README.md)")
    parser.add_argument("--noisy", action="store_true", help="tell figures of a noisy machine, and that it was")
    options = parser.parse_args(arguments)
    told = figures([read(path) for path in options.files], options.noisy)
    text = replaced(_text(options.readme), told, options.readme)
    outputs.write(options.readme, text.encode())
    return 0


def figures(reports: Sequence[Report], noisy: bool = False) -> str:
    """A paragraph and a table for each machine: the rows that are meant for the head.

    Raises:
        SettingError: there are none, or they come from a machine that was too noisy and `noisy` does not allow that.
    """
    loud = [result.bench for report in reports for result in _telling(report) if result.steadiness.noisy]
    if loud and not noisy:
        raise SettingError(
            f"the machine must be steady for figures that are published, it was not for {', '.join(loud)}; run again "
            "with nothing beside, or allow it by --noisy"
        )
    parts = [part for report in reports if list(_telling(report)) for part in _told(report)]
    if not parts:
        raise SettingError("the files hold no figures for a README; run `mien bench all`")
    return "\n".join(parts).rstrip()


def replaced(text: str, told: str, path: Path) -> str:
    """A README with `told` between its marks.

    Raises:
        SourceError: the marks are missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SourceError(f"{path}: expected the lines {BEGIN!r} and {END!r}, got none; put them where figures belong")
    return f"{before}{BEGIN}\n\n{told}\n\n{END}{after}"


def _telling(report: Report) -> Iterator[Result]:
    return (result for result in report.results if any(row.headline for row in result.rows))


def _told(report: Report) -> Iterator[str]:
    machine = report.machine
    when = datetime.fromisoformat(report.when)
    shared = _shared(report)
    yield (
        f"{machine.get('processor', 'Unknown processor')}, {machine.get('cores', '?')} cores, "
        f"{machine.get('system', machine.get('kernel', 'unknown system'))}; {when:%d %B %Y}; mien "
        f"{report.versions.get('mien', '?')}; medians, and quartiles of the repetitions"
        f"{'; ' if shared else ''}{under(shared)}."
    )
    yield from ("", "| | | | under |", "|---|---|---|---|")
    for result in _telling(report):
        note = ", on a noisy machine" if result.steadiness.noisy else ""
        yield from (_line(row, shared, note) for row in result.rows if row.headline)
    yield ""


def _shared(report: Report) -> dict[str, Fact]:
    """Conditions that more than one bench tells, and all alike."""
    told: dict[str, dict[str, set[Fact]]] = {}
    for result in _telling(report):
        for row in result.rows:
            for name, value in row.condition.items() if row.headline else ():
                told.setdefault(name, {}).setdefault(result.bench, set()).add(value)
    alike = {name: set[Fact]().union(*benches.values()) for name, benches in told.items() if len(benches) > 1}
    return {name: values.pop() for name, values in alike.items() if len(values) == 1}


def _line(row: Row, shared: Mapping[str, Fact], note: str) -> str:
    low, high = row.spread
    spread = f"{number(low)} to {number(high)}" if len(row.values) > 1 else ""
    own = {name: value for name, value in row.condition.items() if name not in shared}
    return f"| {row.headline} | {number(row.median)} {row.unit} | {spread} | {under(own)}{note} |"


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SourceError(f"{path}: expected a README, could not read it ({error.strerror}); name it") from error
