"""`mien bench all`: several benches in one run, each judged by its own; one that fails does not stop the others."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

from mien.errors import MienError
from mien_bench.bench import carried_out
from mien_bench.command import add_outputs, bench_of, parser_of, passed, put
from mien_bench.results import Check, Result
from mien_bench.results_file import report
from mien_bench.telling import told

logger = logging.getLogger(__name__)

Profile = Mapping[str, Sequence[str]]

QUICK: Final[Profile] = {
    "stages": (),
    "kernels": ("--rounds", "5"),
    "quality": (),
}
"""Under ten minutes on two cores, by what benches do without being told otherwise."""
FULL: Final[Profile] = {
    "stages": (),
    "kernels": (),
    "quality": (),
}
"""Everything, for a night."""
PROFILES: Final[Mapping[str, Profile]] = {"quick": QUICK, "full": FULL}


def main(arguments: list[str]) -> int:
    """Run a profile; 1 if `--gate` and something wanted is not given, or a bench did not run."""
    parser = argparse.ArgumentParser(prog="mien bench all", description="Run the benches of a profile.")
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="(quick)")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if something wanted is not given")
    add_outputs(parser)
    options = parser.parse_args(arguments)
    results = []
    begin = time.monotonic()
    for name, given in PROFILES[options.profile].items():
        print(f"\n== {name} {' '.join(given)}", flush=True)
        results.append(one(name, given))
        print(told(results[-1]), flush=True)
        put(report(results, options.profile), options.json, options.html)  # what was found is kept whatever comes
    print(f"\n{len(results)} benches in {(time.monotonic() - begin) / 60:.1f} minutes")
    return int(options.gate and not passed(results))


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
