"""The command: which paths, how often, and what is told of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from mien import samples
from mien.commands.options import count, not_negative
from mien.config import ReenactSettings
from mien.errors import MienError, SettingError
from mien_bench.control import Control
from mien_bench.latency.own_cost import own_cost
from mien_bench.latency.passage import NotHere, Passage
from mien_bench.latency.rows import charts_of, checks_of, rows_of
from mien_bench.latency.self_check import self_check
from mien_bench.latency.server import Server
from mien_bench.latency.wish import IDLE, Wish
from mien_bench.live.camera import pictures_of
from mien_bench.network.profiles import NETWORKS
from mien_bench.results import Check, Result

Way = Callable[[Wish], Passage]

WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "memory": ("local", "through_memory"),
    "file": ("local", "through_file"),
    "offline": ("local", "offline"),
    "pipe": ("streams", "through_pipe"),
    "udp": ("streams", "through_udp"),
    "virtual": ("streams", "through_virtual_camera"),
    "webrtc": ("peers", "through_session"),
    "whip": ("peers", "through_whip_and_whep"),
    "browser": ("page", "through_browser"),
}
"""Where the function of each path is."""
PROMISED: Final = 100.0
"""Milliseconds from capture to emit."""
_OVER_NETWORKS: Final = ("webrtc", "whip", "browser")
"""Paths with a network on their way."""
_CHECKED: Final = ("memory", "pipe")
"""Paths in which delays are planted."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.bench.Bench`."""
    parser.add_argument("--path", action="append", choices=WAYS, help="only this one; repeatable (all)")
    parser.add_argument("--frames", type=count, default=250, metavar="N", help="of each run, 25 a second (250)")
    parser.add_argument("--repetitions", type=count, default=3, metavar="N", help="of each path, in turns (3)")
    parser.add_argument("--portrait", type=Path, metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the portrait (512)")
    model = f"see `mien models`; {IDLE}: no engine, the path alone"
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help=model)
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument(
        "--delay", type=not_negative, default=0.0, metavar="MS", help="plant a delay line behind the camera"
    )
    parser.add_argument(
        "--network", choices=NETWORKS, metavar="NAME", help=f"a bad network before the server: {_networks()}"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the network's chances (0)")
    parser.add_argument("--server", metavar="URL", help="that runs with --measure; default: start one")
    parser.add_argument(
        "--self-check", action="store_true", help="plant delays of 0, 50 and 200 ms and losses, and find them"
    )


def _networks() -> str:
    return "; ".join(f"{name}: {network.about}" for name, network in NETWORKS.items()).replace("%", "%%")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.bench.Bench`."""
    plain = wish_of(options)
    with Server(plain.settings, url=options.server) as server:
        wish = replace(plain, server=None if plain.idle else server)
        usual = _CHECKED if options.self_check else _OVER_NETWORKS if options.network else WAYS
        chosen: list[str] = options.path or list(usual)
        if options.network and not set(chosen) <= set(_OVER_NETWORKS):
            raise SettingError(f"network: expected paths of {', '.join(_OVER_NETWORKS)}, got {', '.join(chosen)}")
        if options.self_check:
            return self_check({name: way(name) for name in chosen}, replace(wish, idle=True), control)
        return _measured(options, wish, chosen, control)


def _measured(options: argparse.Namespace, wish: Wish, chosen: list[str], control: Control) -> Result:
    runs, notes = _in_turns(chosen, wish, options.repetitions, control)
    if not runs:
        raise NotHere("; ".join(notes))
    rows = [row for name, found in runs.items() for row in rows_of(found, {"path": name, **wish.condition()})]
    checks = [check for name, found in runs.items() for check in checks_of(name, found)]
    checks += [Check(f"{note.partition(':')[0]}: runs", "to the end", note, False) for note in notes if _FAILED in note]
    return Result(
        bench="latency",
        about="coded frames from the moment of capture to the far end of each path",
        rows=(*rows, *own_cost(wish.pictures[0], options.size)),
        checks=tuple(checks),
        charts=tuple(charts_of(runs, PROMISED)),
        notes=(*_NOTES, *notes, *(note for found in runs.values() for note in found[-1].notes)),
    )


def way(name: str) -> Way:
    """The function of a path."""
    module, function = WAYS[name]
    found: Way = getattr(import_module(f"mien_bench.latency.ways.{module}"), function)
    return found


def wish_of(options: argparse.Namespace) -> Wish:
    """What the options ask for."""
    idle = options.model == IDLE
    model = ReenactSettings().model if idle else options.model
    settings = ReenactSettings(
        model=model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )
    return Wish(
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
    names: list[str], wish: Wish, repetitions: int, control: Control
) -> tuple[dict[str, list[Passage]], list[str]]:
    """Each path once in every round; what is not here, or fails, is told and left out."""
    runs: dict[str, list[Passage]] = {}
    notes: dict[str, str] = {}
    for turn in range(repetitions):
        for name in names:
            if name in notes:
                continue
            print(f"{name}, {turn + 1} of {repetitions}", flush=True)
            control()
            try:
                runs.setdefault(name, []).append(way(name)(wish))
            except NotHere as error:
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
