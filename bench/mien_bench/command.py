"""`mien bench [NAME]`: one bench, each a module of `mien_bench.benches` loaded when needed, or a profile of them."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from mien.commands.options import Options, need_places
from mien.errors import MienError, SettingError
from mien_bench.control import Control
from mien_bench.formatting import as_text
from mien_bench.report import Report, report, write
from mien_bench.results import Check, Result

logger = logging.getLogger(__name__)

Profile = Mapping[str, Sequence[str]]
BENCHES: Final = {
    "stages": "how long each stage of one frame takes (default)",
    "kernels": "how fast each kernel is, beside what else could do it and what the machine allows",
    "latency": "how long a picture takes from glass to glass, by every path",
    "load": "how many sessions a machine bears, and what each costs",
    "soak": "whether memory, descriptors and latency stay where they are",
    "live": "whether a live run is in time, and stays so when it is disturbed",
    "quality": "how near to the truth models come, and to the papers' figures",
    "models": "every model that drives portraits, on the same portraits: quality, cost, size",
    "ablation": "what each part of a generator's loss is worth, by columns trained without it",
    "peers": "how fast other engines are here, by a path to their checkout",
    "follow": "how portraits follow drivers, by landmarks detected in the output",
    "still": "how still a portrait is when its driver is",
    "landmarks": "how near the landmarks of our runtimes are to MediaPipe's, and what they cost",
    "long": "whether memory stays constant over a long driver",
    "mark": "how well the invisible mark is found again, and how little it is seen",
}
OTHERS: Final = {
    "all": "a whole profile of them, quick or full, into one file and one page",
    "compare": "two files of results: a verdict for each row, 1 if one is worse",
    "page": "files of results as one page",
    "readme": "the README's figures, from a file of results",
}
QUICK: Final[Profile] = {
    "stages": ("--frames", "100", "--repetitions", "3"),
    "kernels": ("--rounds", "5"),
    "live": ("--seconds", "10", "--only", "run", "--only", "empty", "--only", "starts", "--starts", "40"),
    "latency": ("--frames", "100", "--repetitions", "3"),
    "load": ("--most", "3", "--seconds", "6", "--settle", "3", "--repetitions", "1"),
    "quality": ("--quick", "--table", "clips", "temporal", "strips"),
}
"""Under ten minutes on two cores that have nothing else to do."""
FULL: Final[Profile] = {
    "stages": ("--matrix",),
    "kernels": (),
    "live": (),
    "latency": (),
    "load": (),
    "soak": (),
    "follow": (),
    "still": (),
    "long": (),
    "peers": (),
    "quality": (),
}
"""All benches with their defaults."""
PROFILES: Final[Mapping[str, Profile]] = {"quick": QUICK, "full": FULL}
MINUTES: Final = {"quick": 10.0}
"""Longest duration of a profile."""
CHECKOUTS: Final = {
    "first-order-model": "--first-order-model",
    "LivePortrait": "--live-portrait",
    "FasterLivePortrait": "--faster-live-portrait",
}
"""Names of checkouts as they are cloned, and the option of `mien bench peers` for each."""


class Bench(Protocol):
    """A module of this form is found by `mien bench NAME`, which adds --json, --html, --gate."""

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Declare the options; `parser` has its name and description already."""
        ...

    @staticmethod
    def run(options: argparse.Namespace, control: Control) -> Result:
        """Measure, and call `control` before each repetition and after the last. May print how far it is; the figures
        themselves are printed by the command.

        Raises:
            MienError: what is asked for cannot be measured.
        """
        ...


def run_bench(bench: Bench, options: argparse.Namespace) -> Result:
    """Run a bench; the result says how steady the machine was and how long it took."""
    control, begin = Control(), time.monotonic()
    result = bench.run(options, control)
    return replace(result, steadiness=control.steadiness(), seconds=time.monotonic() - begin)


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
    if name == "all":
        return run_profile(rest)
    if name in OTHERS:
        result: int = import_module(f"mien_bench.{name}").main(rest)
        return result
    return run(name, rest)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one bench, print its result and write it where asked; 1 if `--gate` and a check fails.

    Raises:
        MienError: there is no such bench, or what it raises.
    """
    bench = bench_of(name)
    options = parser_of(name, bench).parse_args(arguments)
    need_outputs(options)
    result = run_bench(bench, options)
    print(as_text(result), flush=True)
    put(report([result], name), options.json, options.html)
    return int(options.gate and not passed([result]))


def bench_of(name: str) -> Any:
    """The module of a bench, in the form of `mien_bench.command.Bench`.

    Raises:
        SettingError: there is none of this name.
    """
    if name not in BENCHES:
        raise SettingError(f"bench must be one of {', '.join([*BENCHES, *OTHERS])}, got {name!r}")
    return import_module(f"mien_bench.benches.{name}")


def parser_of(name: str, bench: Any) -> argparse.ArgumentParser:
    """The options of a bench, and those that all have."""
    about = BENCHES[name].removesuffix(" (default)")
    parser = Options(prog=f"mien bench {name}", description=f"Measure {about}.")
    bench.add_options(parser)
    add_outputs(parser)
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a check fails")
    return parser


_READ = ("portrait", "portraits", "driver", "clips")
"""Options of benches that name files."""


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare --json and --html."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON, for compare, page and readme")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also as a page that needs no network")


def need_outputs(options: argparse.Namespace) -> None:
    """Refuse --json and --html that cannot be written or are read, before anything is measured.

    Raises:
        SinkError: one of them cannot, or would replace a clip or picture that is named.
    """
    given = [getattr(options, name, None) or [] for name in _READ]
    read = [str(name) for names in given for name in (names if isinstance(names, list) else [names])]
    need_places([options.json, options.html], read)


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
    """Whether all checks passed."""
    return all(check.kept for result in results for check in result.checks)


def _usage() -> str:
    rows = [f"  {name:<10}{about}" for name, about in (BENCHES | OTHERS).items()]
    return "\n".join(["usage: mien bench [NAME] [OPTIONS]; NAME --help lists the options", "", *rows])


def run_profile(arguments: list[str]) -> int:
    """Run a profile; 1 if `--gate` and a check fails, or a bench did not run."""
    parser = Options(prog="mien bench all", description="Run the benches of a profile.")
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="(quick)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"that holds {', '.join(CHECKOUTS)}, or some")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a check fails")
    add_outputs(parser)
    options = parser.parse_args(arguments)
    need_outputs(options)
    results: list[Result] = []
    begin = time.monotonic()
    for name, given in PROFILES[options.profile].items():
        words = [*given, *(checkouts(options.peers) if name == "peers" else ())]
        print(f"\n== {name} {' '.join(words)}", flush=True)
        results.append(run_or_report(name, words))
        print(as_text(results[-1]), flush=True)
        put(report(results, options.profile), options.json, options.html)  # results so far are kept whatever follows
    minutes, most = (time.monotonic() - begin) / 60, MINUTES.get(options.profile, float("inf"))
    late = f", more than the {most:g} that this profile has" if minutes > most else ""
    print(f"\n{len(results)} benches in {minutes:.1f} minutes{late}")
    return int(options.gate and not passed(results))


def checkouts(folder: Path | None) -> list[str]:
    """Options of `mien bench peers` for the checkouts that a folder holds."""
    found = [(option, folder / name) for name, option in CHECKOUTS.items()] if folder is not None else []
    return [part for option, path in found if path.is_dir() for part in (option, str(path))]


def run_or_report(name: str, arguments: Sequence[str]) -> Result:
    """Run one bench; an error that stops it becomes a failed check."""
    begin = time.monotonic()
    try:
        bench = bench_of(name)
        return run_bench(bench, parser_of(name, bench).parse_args(arguments))
    except MienError as error:
        trouble = str(error)
    except Exception as error:  # the others are still to run
        logger.exception("%s", name)
        trouble = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - begin
    return Result(name, "did not run", (), (Check("runs", "to the end", trouble, False),), seconds=seconds)
