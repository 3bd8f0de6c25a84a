"""`mien bench load`: a ramp of sessions, then portraits and drivers of several sizes, with fitted costs."""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mien import samples
from mien.commands.options import count, not_negative, positive
from mien.config import ReenactSettings
from mien_bench.control import Control
from mien_bench.latency.path_run import NotAvailable
from mien_bench.latency.programs import Server
from mien_bench.latency.webrtc_paths import portrait_id
from mien_bench.load.ramp import Ramp, RampPlan, climb
from mien_bench.load.ramp_results import checks_of, growth, rows_of, varied_rows
from mien_bench.results import Fact, Result

FRAMES: Final = 1_000_000
"""More frames than any peer sends before it is ended."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--most", type=count, default=8, metavar="N", help="sessions at which it ends in any case (8)")
    parser.add_argument(
        "--target", type=positive, default=250.0, metavar="MS", help="glass to glass, for 95 of 100 (250)"
    )
    parser.add_argument("--seconds", type=positive, default=10.0, metavar="S", help="of each step (10)")
    parser.add_argument("--settle", type=not_negative, default=5.0, metavar="S", help="before each, not judged (5)")
    parser.add_argument("--repetitions", type=count, default=2, metavar="N", help="(2)")
    parser.add_argument(
        "--own-limit", action="store_true", help="let the server refuse what it does not expect to bear"
    )
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the portrait (512)")
    parser.add_argument("--driver-size", default="640x480", metavar="WxH", help="(640x480)")
    parser.add_argument(
        "--sizes", default="256,512,720", metavar="N,...", help="portraits to fit the growth of cost by (256,512,720)"
    )
    parser.add_argument(
        "--driver-sizes", default="320x240,640x480,1280x720", metavar="WxH,...", help="likewise, drivers"
    )
    parser.add_argument("--codec", choices=("H264", "VP8"), default="H264")
    parser.add_argument("--portrait", type=Path, metavar="SAMPLE", help="default: the first sample")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME")
    parser.add_argument("--backend", default="auto", metavar="NAME")
    parser.add_argument("--threads", type=count, metavar="N", help="of each session")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; peers share the machine with the server, and a row gives what they use."""
    if find_spec("aiortc") is None:
        raise NotAvailable("load: expected aiortc for the peers, got none; pip install 'mien[live]'")
    settings = ReenactSettings(
        model=options.model, backend=options.backend, size=options.size, threads=options.threads, mark=False
    )
    plan = RampPlan(options.most, options.target, options.settle, options.seconds)
    ramps, about = [], ""
    for turn in range(options.repetitions):
        print(f"ramp, {turn + 1} of {options.repetitions}", flush=True)
        control()
        with Server(settings, sessions=None if options.own_limit else options.most) as server:
            ramps.append(climb(server, plan, _peer(options, options.driver_size)))
            about = server.about
    by_portrait = _varied(options, settings, "portrait", control)
    by_driver = _varied(options, settings, "driver", control)
    control()
    condition: dict[str, Fact] = {
        "model": options.model,
        "size": options.size,
        "driver": options.driver_size,
        "codec": options.codec,
    }
    drawn, fits = growth(ramps, by_portrait, by_driver)
    return Result(
        bench="load",
        about="sessions by WebRTC, each peer a process, until the deadline breaks",
        rows=(*rows_of(ramps, plan, condition), *varied_rows(by_portrait, by_driver, condition)),
        checks=tuple(checks_of(ramps, plan)),
        charts=tuple(drawn),
        notes=(f"server: {about}", *fits, *_NOTES),
    )


_NOTES: Final = (
    "peers encode and decode on the same processors as the server; what they take is a row",
    "sessions sustained are those up to which 95 of 100 pictures of all peers came within the target",
)


def _peer(options: argparse.Namespace, driver: str) -> list[str]:
    portrait = portrait_id(options.portrait or next(iter(samples.portraits().values())))
    given = ["--size", driver, "--frames", str(FRAMES), "--codec", options.codec, "--portrait", portrait]
    return [*given, "--silent"]


def _varied(
    options: argparse.Namespace, settings: ReenactSettings, what: str, control: Control
) -> dict[str, list[Ramp]]:
    """One session for each size of the portrait, or of the driver, in turns."""
    sizes = [part for part in (options.sizes if what == "portrait" else options.driver_sizes).split(",") if part]
    plan = RampPlan(1, float("inf"), options.settle, options.seconds)
    found: dict[str, list[Ramp]] = {size: [] for size in sizes}
    for turn in range(options.repetitions):
        for size in sizes:
            print(f"{what} of {size}, {turn + 1} of {options.repetitions}", flush=True)
            control()
            driver = options.driver_size if what == "portrait" else size
            shown = replace(settings, size=int(size)) if what == "portrait" else settings
            with Server(shown, sessions=1) as server:
                found[size].append(climb(server, plan, _peer(options, driver)))
    return found
