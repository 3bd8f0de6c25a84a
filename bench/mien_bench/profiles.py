"""`mien bench all`: several benches in one run, each judged by its own; one that fails does not stop the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mien.commands.options import Options
from mien.errors import MienError
from mien_bench.bench import carried_out
from mien_bench.command import add_outputs, bench_of, need_outputs, parser_of, passed, put
from mien_bench.results import Check, Result
from mien_bench.results_file import report
from mien_bench.telling import told

logger = logging.getLogger(__name__)

Profile = Mapping[str, Sequence[str]]

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
"""Everything."""
PROFILES: Final[Mapping[str, Profile]] = {"quick": QUICK, "full": FULL}
MINUTES: Final = {"quick": 10.0}
"""What a profile may take."""
CHECKOUTS: Final = {
    "first-order-model": "--first-order-model",
    "LivePortrait": "--live-portrait",
    "FasterLivePortrait": "--faster-live-portrait",
}
"""Names of checkouts as they are cloned, and the option of `mien bench peers` for each."""


def main(arguments: list[str]) -> int:
    """Run a profile; 1 if `--gate` and something wanted is not given, or a bench did not run."""
    parser = Options(prog="mien bench all", description="Run the benches of a profile.")
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="(quick)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"that holds {', '.join(CHECKOUTS)}, or some")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if something wanted is not given")
    add_outputs(parser)
    options = parser.parse_args(arguments)
    need_outputs(options)
    results: list[Result] = []
    begin = time.monotonic()
    for name, given in PROFILES[options.profile].items():
        words = [*given, *(checkouts(options.peers) if name == "peers" else ())]
        print(f"\n== {name} {' '.join(words)}", flush=True)
        results.append(one(name, words))
        print(told(results[-1]), flush=True)
        put(report(results, options.profile), options.json, options.html)  # what was found is kept whatever comes
    minutes, most = (time.monotonic() - begin) / 60, MINUTES.get(options.profile, float("inf"))
    late = f", more than the {most:g} that this profile has" if minutes > most else ""
    print(f"\n{len(results)} benches in {minutes:.1f} minutes{late}")
    return int(options.gate and not passed(results))


def checkouts(folder: Path | None) -> list[str]:
    """Options of `mien bench peers` for the checkouts that a folder holds."""
    found = [(option, folder / name) for name, option in CHECKOUTS.items()] if folder is not None else []
    return [part for option, path in found if path.is_dir() for part in (option, str(path))]


def one(name: str, arguments: Sequence[str]) -> Result:
    """One bench; what stops it is told in its result."""
    begin = time.monotonic()
    try:
        bench = bench_of(name)
        return carried_out(bench, parser_of(name, bench).parse_args(arguments))
    except MienError as error:
        trouble = str(error)
    except Exception as error:  # the others are still to run
        logger.exception("%s", name)
        trouble = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - begin
    return Result(name, "did not run", (), (Check("runs", "to the end", trouble, False),), seconds=seconds)
