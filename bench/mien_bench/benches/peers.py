"""`mien bench peers`: other engines on the same machine, the same clip, in one run, by a path to their checkouts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mien.commands.options import count
from mien.config import WARP, ReenactSettings
from mien.errors import BackendError, SettingError
from mien.machine.processor import usable_threads
from mien_bench.charts import stack
from mien_bench.control import Control
from mien_bench.engines.client import Driver, EngineProcess, driver_of, scores
from mien_bench.material import clips_of
from mien_bench.results import Better, Check, Fact, Result, Row, Table

ENGINES: Final = {
    "first-order-model": "first_order_model",
    "live-portrait": "live_portrait",
    "faster-live-portrait": "faster_live_portrait",
}
MODULE: Final = "mien_bench.engines"
COLUMNS: Final = ("engine", "ms a frame", "time relative to mien", "a portrait's preparation, ms", "what it ran")
NOTES: Final = (
    "A frame is a crop of 256x256 in memory until its answer is a picture in memory: no decoding, no encoding.",
    "mien finds landmarks, moves, paints, fuses and smooths; the others do what their networks do for a frame.",
    "Neither face detection nor pasting back is asked of the others: crops are given.",
    "Engines take turns round by round, each in a process of its own that is kept open.",
)


@dataclass(frozen=True, slots=True)
class Entrant:
    """An engine to run."""

    name: str
    module: str
    arguments: tuple[str, ...]
    python: str = sys.executable


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    for name in ENGINES:
        parser.add_argument(f"--{name}", type=Path, metavar="CHECKOUT", help=f"where {name} lies")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=PATH", help="of an engine; repeatable")
    parser.add_argument("--python", default=sys.executable, metavar="FILE", help="interpreter that has what they need")
    parser.add_argument("--models", nargs="+", default=[ReenactSettings().model, WARP], metavar="NAME", help="of mien")
    parser.add_argument("--driver", nargs=1, type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--frames", type=count, default=5, metavar="N", help="of a round (5)")
    parser.add_argument("--rounds", type=count, default=5, metavar="N", help="repetitions (5)")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.epilog = "Without weights they run with random ones: that has their speed, and no quality is measured."


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; an engine that does not run is named in a check, and stops no other.

    Raises:
        SettingError: weights are named for no engine.
        MienError: the clip cannot be used.
    """
    driver = driver_of(clips_of(options.driver)[0], options.frames)
    with TemporaryDirectory(prefix="mien-bench-") as folder, ExitStack() as opened:
        driver.write(Path(folder))
        running, troubles = _started(entrants(options, Path(folder)), opened)
        times = _in_turns(running, options.rounds, control)
        condition: dict[str, Fact] = {"frames": options.frames, "threads": options.threads or usable_threads()}
        rows = [*_speeds(running, times, condition), *_qualities(running, driver, Path(folder), condition)]
        checks = (*(_answers(name, child) for name, child in running.items()), *troubles)
    left_out = [name for name in ENGINES if getattr(options, name.replace("-", "_")) is None]
    absent = (f"no checkout named: {', '.join(left_out)}",) if left_out else ()
    return Result(
        bench="peers",
        about="other engines on the same clip, each by its own code",
        rows=tuple(rows),
        checks=checks,
        charts=(stack("A frame", "ms", {name: {"median": median(values)} for name, values in times.items()}),)
        if times
        else (),
        tables=(_table(running, times),),
        notes=(*NOTES, *absent),
    )


def entrants(options: argparse.Namespace, folder: Path) -> list[Entrant]:
    """The engines that the options name, mien's models first."""
    threads = str(options.threads or usable_threads())
    shared = ("--source", str(folder / "source.npy"), "--frames", str(folder / "frames.npy"), "--threads", threads)
    weights = dict(_weights(options.weights))
    found = [Entrant(f"mien {Path(name).name}", f"{MODULE}.own", (*shared, "--model", name)) for name in options.models]
    for name, module in ENGINES.items():
        checkout = getattr(options, name.replace("-", "_"))
        if checkout is None:
            continue
        given = [*shared, "--checkout", str(checkout)]
        given += ["--weights", str(weights[name])] if name in weights else []
        given += ["--live-portrait", str(options.live_portrait)] if options.live_portrait else []
        found.append(Entrant(name, f"{MODULE}.{module}", tuple(given), options.python))
    return found


def _weights(given: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for one in given:
        name, _, path = one.partition("=")
        if name not in ENGINES or not path:
            raise SettingError(f"weights must be NAME=PATH with a name of {', '.join(ENGINES)}, got {one!r}")
        yield name, Path(path)


def _started(wanted: Sequence[Entrant], opened: ExitStack) -> tuple[dict[str, EngineProcess], list[Check]]:
    """Those that got ready, and a note on each of those that did not."""
    running: dict[str, EngineProcess] = {}
    troubles = []
    for one in wanted:
        print(f"{one.name} ...", flush=True)
        try:
            running[one.name] = opened.enter_context(EngineProcess(one.name, one.module, one.arguments, one.python))
        except BackendError as error:
            troubles.append(Check(f"{one.name} runs", "to the end", str(error), kept=False))
    return running, troubles


def _in_turns(running: dict[str, EngineProcess], rounds: int, control: Control) -> dict[str, tuple[float, ...]]:
    """Milliseconds a frame of each round, the median over its frames; the order rotates."""
    times: dict[str, list[float]] = {name: [] for name in running}
    names = list(running)
    for turn in range(rounds):
        for step in range(len(names)):
            name = names[(turn + step) % len(names)]
            control()
            times[name].append(median(running[name].round()))
    control()
    return {name: tuple(values) for name, values in times.items()}


def _speeds(
    running: dict[str, EngineProcess], times: dict[str, tuple[float, ...]], condition: dict[str, Fact]
) -> Iterator[Row]:
    first = next(iter(times), None)
    for name, values in times.items():
        under, note = {**condition, "engine": name}, running[name].introduction.about
        judged: Better = "lower" if name.startswith("mien ") else "neither"
        yield Row("a frame", "ms", values, judged, under, note=note, headline=f"{name}, a frame")
        if name != first and first is not None:
            ratios = tuple(theirs / ours for theirs, ours in zip(values, times[first], strict=True))
            yield Row(f"time relative to {first}", "", ratios, "neither", under)


def _qualities(
    running: dict[str, EngineProcess], driver: Driver, folder: Path, condition: dict[str, Fact]
) -> Iterator[Row]:
    """Only of engines whose weights are trained."""
    for name, child in running.items():
        if child.introduction.trained:
            path = folder / "answers.npy"
            child.round(keep=path)
            for row in scores(driver, np.load(path)):
                yield replace(row, condition={**condition, "engine": name})


def _answers(name: str, child: EngineProcess) -> Check:
    """Checks that the timed output is a picture, and follows the driver where weights are trained."""
    introduction = child.introduction
    if not introduction.trained:
        wanted = "a picture, random as it is"
        return Check(
            f"{name} answers",
            wanted,
            f"{introduction.contrast} grey levels of contrast",
            kept=introduction.contrast > 0,
        )
    wanted = "pictures that differ with the driver's"
    return Check(f"{name} answers", wanted, f"by up to {introduction.moved} grey levels", kept=introduction.moved > 0)


def _table(running: dict[str, EngineProcess], times: dict[str, tuple[float, ...]]) -> Table:
    first = next(iter(times.values()), (1.0,))
    cells = []
    for name, values in times.items():
        introduction = running[name].introduction
        ratio = median(theirs / ours for theirs, ours in zip(values, first, strict=True))
        what = introduction.about + ("" if introduction.trained else "; random weights: speed only")
        cells.append((name, f"{median(values):.1f}", f"{ratio:.1f}", f"{introduction.prepared_ms:.0f}", what))
    return Table("Engines on this machine", COLUMNS, tuple(cells))
