"""`mien bench [NAME]`: the benches, each a module of its own that is loaded when it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mien.commands.options import Options, need_places
from mien.errors import SettingError
from mien_bench.bench import carried_out
from mien_bench.results import Result
from mien_bench.results_file import Report, report, write
from mien_bench.telling import told

BENCHES: Final = {
    "stages": "how long each stage of one frame takes (default)",
    "kernels": "how fast each kernel is, beside what else could do it and what the machine allows",
    "latency": "how long a picture takes from glass to glass, by every path",
    "load": "how many sessions a machine bears, and what each costs",
    "soak": "whether memory, descriptors and latency stay where they are",
    "live": "whether a live run is in time, and stays so when it is disturbed",
    "quality": "how near to the truth models come, and to the papers' figures",
    "peers": "how fast other engines are here, by a path to their checkout",
    "follow": "how portraits follow drivers, in what is found again in the output",
    "still": "how still a portrait is when its driver is",
    "long": "whether memory stays constant over a long driver",
}
OTHERS: Final = {
    "all": "a whole profile of them, quick or full, into one file and one page",
    "compare": "two files of results: a verdict for each row, 1 if one is worse",
    "page": "files of results as one page",
    "readme": "the README's figures, from a file of results",
}


def main(arguments: list[str]) -> int:
    """Run what the first argument names.

    Raises:
        MienError: it is none, or what the bench raises.
    """
    if arguments and arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    if not arguments or arguments[0].startswith("-"):
        arguments = ["stages", *arguments]
    name, *rest = arguments
    if name in OTHERS:
        result: int = import_module(f"mien_bench.{_FOUND_IN.get(name, name)}").main(rest)
        return result
    return run(name, rest)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one bench: print what it found, write it where asked; 1 if `--gate` and something wanted is not given.

    Raises:
        MienError: there is no such bench, or what it raises.
    """
    bench = bench_of(name)
    options = parser_of(name, bench).parse_args(arguments)
    need_outputs(options)
    result = carried_out(bench, options)
    print(told(result), flush=True)
    put(report([result], name), options.json, options.html)
    return int(options.gate and not passed([result]))


def bench_of(name: str) -> Any:
    """The module of a bench, in the form of `mien_bench.bench.Bench`.

    Raises:
        SettingError: there is none of this name.
    """
    if name not in BENCHES:
        raise SettingError(f"bench must be one of {', '.join([*BENCHES, *OTHERS])}, got {name!r}")
    return import_module(f"mien_bench.{name}")


def parser_of(name: str, bench: Any) -> argparse.ArgumentParser:
    """The options of a bench, and those that all have."""
    about = BENCHES[name].removesuffix(" (default)")
    parser = Options(prog=f"mien bench {name}", description=f"Measure {about}.")
    bench.add_options(parser)
    add_outputs(parser)
    parser.add_argument("--gate", action="store_true", help="exit with 1 if something wanted is not given")
    return parser


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare --json and --html."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON, for compare, page and readme")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also as a page that needs no network")


def need_outputs(options: argparse.Namespace) -> None:
    """Refuse --json and --html that cannot be written, before anything is measured for them.

    Raises:
        SinkError: one of them cannot.
    """
    need_places([path for path in (options.json, options.html) if path is not None], [])


def put(found: Report, json: Path | None, html: Path | None) -> None:
    """Write results where asked.

    Raises:
        SinkError: a file cannot be written.
    """
    if json is not None:
        write(json, found)
    if html is not None:
        import_module("mien_bench.page").write(html, found)


def passed(results: Sequence[Result]) -> bool:
    """Whether all that was wanted is given."""
    return all(check.kept for result in results for check in result.checks)


_FOUND_IN: Final = {"all": "profiles"}


def _usage() -> str:
    rows = [f"  {name:<9}{about}" for name, about in (BENCHES | OTHERS).items()]
    return "\n".join(["usage: mien bench [NAME] [OPTIONS]; NAME --help lists the options", "", *rows])
