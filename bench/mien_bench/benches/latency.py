"""`mien bench latency`: glass-to-glass latency without a camera, by time codes read at the far end."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from mien import samples
from mien.commands.options import count, not_negative, whole
from mien.config import ReenactSettings
from mien.errors import MienError, SettingError
from mien_bench.control import Control
from mien_bench.latency.harness_checks import harness_cost, self_check
from mien_bench.latency.path_results import charts_of, checks_of, rows_of
from mien_bench.latency.path_run import IDLE, NotAvailable, PathRun, PathSetup
from mien_bench.latency.programs import Server
from mien_bench.latency.sources import pictures_of
from mien_bench.network.impairment import NETWORKS
from mien_bench.results import Check, Result

PathFunction = Callable[[PathSetup], PathRun]

PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "memory": ("local_paths", "through_memory"),
    "file": ("local_paths", "through_file"),
    "offline": ("local_paths", "offline"),
    "pipe": ("local_paths", "through_pipe"),
    "udp": ("local_paths", "through_udp"),
    "virtual": ("local_paths", "through_virtual_camera"),
    "webrtc": ("webrtc_paths", "through_session"),
    "whip": ("webrtc_paths", "through_whip_and_whep"),
    "browser": ("webrtc_paths", "through_browser"),
}
"""Module and function of each path."""
LATENCY_LIMIT: Final = 100.0
"""Milliseconds from capture to emit."""
_OVER_NETWORKS: Final = ("webrtc", "whip", "browser")
"""Paths that cross a network."""
_CHECKED: Final = ("memory", "pipe")
"""Paths in which delays are planted."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--path", action="append", choices=PATHS, help="only this one; repeatable (all)")
    parser.add_argument("--frames", type=count, default=250, metavar="N", help="of each run, 25 a second (250)")
    parser.add_argument("--repetitions", type=count, default=3, metavar="N", help="of each path, in turns (3)")
    parser.add_argument("--portrait", type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the portrait (512)")
    model = f"see `mien models`; {IDLE}: no engine, the path alone"
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help=model)
    parser.add_argument("--style", metavar="NAME", help="the portrait in a style, as of `mien live` (none)")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument(
        "--delay", type=not_negative, default=0.0, metavar="MS", help="plant a delay line behind the camera"
    )
    parser.add_argument(
        "--network", choices=NETWORKS, metavar="NAME", help=f"a bad network before the server: {_networks()}"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the network's chances (0)")
    parser.add_argument("--server", metavar="URL", help="that runs with --measure; default: start one")
    parser.add_argument(
        "--self-check", action="store_true", help="plant delays of 0, 50 and 200 ms and losses, and find them"
    )


def _networks() -> str:
    return "; ".join(f"{name}: {network.about}" for name, network in NETWORKS.items()).replace("%", "%%")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`."""
    plain = setup_of(options)
    with Server(plain.settings, url=options.server) as server:
        setup = replace(plain, server=None if plain.idle else server)
        usual = _CHECKED if options.self_check else _OVER_NETWORKS if options.network else PATHS
        chosen: list[str] = options.path or list(usual)
        if options.network and not set(chosen) <= set(_OVER_NETWORKS):
            raise SettingError(f"network: expected paths of {', '.join(_OVER_NETWORKS)}, got {', '.join(chosen)}")
        if options.self_check:
            return self_check({name: path_function(name) for name in chosen}, replace(setup, idle=True), control)
        return _measured(options, setup, chosen, control)


def _measured(options: argparse.Namespace, setup: PathSetup, chosen: list[str], control: Control) -> Result:
    runs, notes = _in_turns(chosen, setup, options.repetitions, control)
    if not runs:
        raise NotAvailable("; ".join(notes))
    rows = [row for name, found in runs.items() for row in rows_of(found, {"path": name, **setup.condition()})]
    checks = [check for name, found in runs.items() for check in checks_of(name, found)]
    checks += [Check(f"{note.partition(':')[0]}: runs", "to the end", note, False) for note in notes if _FAILED in note]
    return Result(
        bench="latency",
        about="coded frames from the moment of capture to the far end of each path",
        rows=(*rows, *harness_cost(setup.pictures[0], options.size)),
        checks=tuple(checks),
        charts=tuple(charts_of(runs, LATENCY_LIMIT)),
        notes=(*_NOTES, *notes, *(note for found in runs.values() for note in found[-1].notes)),
    )


def path_function(name: str) -> PathFunction:
    """The function of a path."""
    module, function = PATHS[name]
    found: PathFunction = getattr(import_module(f"mien_bench.latency.{module}"), function)
    return found


def setup_of(options: argparse.Namespace) -> PathSetup:
    """The run that the options describe."""
    idle = options.model == IDLE
    model = ReenactSettings().model if idle else options.model
    settings = ReenactSettings(
        model=model,
        backend=options.backend,
        style=options.style,
        size=options.size,
        threads=options.threads,
        mark=False,
    )
    return PathSetup(
        pictures=pictures_of(options.driver or samples.driver()),
        frames=options.frames,
        portrait=options.portrait or next(iter(samples.portraits().values())),
        settings=settings,
        idle=idle,
        delays=(options.delay / 1e3,) if options.delay else (),
        network=options.network,
        seed=options.seed,
        driver=options.driver,
    )


def _in_turns(
    names: list[str], setup: PathSetup, repetitions: int, control: Control
) -> tuple[dict[str, list[PathRun]], list[str]]:
    """Each path once in every round; a path that is not available, or fails, is left out with a note."""
    runs: dict[str, list[PathRun]] = {}
    notes: dict[str, str] = {}
    for turn in range(repetitions):
        for name in names:
            if name in notes:
                continue
            print(f"{name}, {turn + 1} of {repetitions}", flush=True)
            control()
            try:
                runs.setdefault(name, []).append(path_function(name)(setup))
            except NotAvailable as error:
                notes[name] = f"not measured: {error}"
            except MienError as error:
                notes[name] = f"{name}: {_FAILED}: {error}"
    control()
    return {name: found for name, found in runs.items() if found}, list(notes.values())


_FAILED: Final = "failed"
_NOTES: Final = (
    "a picture counts as seen when the far end has decoded it; one of a file when the encoder has taken it",
    "at level hold the strip is newer than the picture; offline latencies say how long queues are",
    "measuring mode copies the strip into every emitted picture; its cost is a row",
)
