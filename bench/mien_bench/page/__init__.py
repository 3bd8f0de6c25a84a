"""`mien bench page`: results as one page that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.commands.options import Options, need_places
from mien.machine import outputs
from mien_bench.page.document import document
from mien_bench.report import Report, read


def main(arguments: list[str]) -> int:
    """Make a page of files of results, such as those of several machines.

    Raises:
        SourceError: a file does not hold results.
        SinkError: the page cannot be written.
    """
    parser = Options(prog="mien bench page", description="Make a page of results.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json")
    parser.add_argument("--html", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    need_places([options.html], map(str, options.files))
    write(options.html, *map(read, options.files))
    return 0


def write(path: Path, *reports: Report) -> None:
    """Write the page of reports.

    Raises:
        SinkError: it cannot be written.
    """
    outputs.write(path, document(reports).encode())


__all__: Sequence[str] = ["main", "write"]
