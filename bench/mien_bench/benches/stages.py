"""`mien bench stages`: how long each stage takes on this machine, alone and together, and what it allocates."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import bundles, samples
from mien.clock import MonotonicClock
from mien.commands.options import count, whole
from mien.config import BACKENDS, WARP, Backend, ReenactSettings
from mien.errors import MienError, SourceError
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.manifest import read_bundle
from mien.pipeline import Stages
from mien.pipeline.chain import SingleStage
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.runtime.opening import usable
from mien_bench.charts import stack
from mien_bench.control import Control
from mien_bench.material import first_frames
from mien_bench.results import Chart, Check, Fact, Result, Row
from mien_bench.stage_timing import WHOLE, Run, Setup, apart_by, measure, moves, run_stages, why_not

ALIKE: Final = 4.0
"""Mean grey levels by which pictures of one model and size may differ between backends."""
Pixels = NDArray[np.uint8]

SIZES: Final = (256, 512, 720)


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--portrait", metavar="PICTURE", help="default: the first sample")
    parser.add_argument("--driver", metavar="SOURCE", help="default: the sample driver")
    parser.add_argument("--size", type=count, action="append", metavar="N", help="of the portrait (512); repeatable")
    parser.add_argument("--model", action="append", metavar="NAME", help="see `mien models`; repeatable")
    parser.add_argument("--style", metavar="NAME", help="the portrait in a style: one more stage (none)")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="(auto); repeatable")
    parser.add_argument("--precision", action="append", metavar="NAME", help="of the generator; repeatable")
    parser.add_argument("--threads", type=count, action="append", metavar="N", help="(all); repeatable")
    parser.add_argument("--matrix", action="store_true", help="all backends, precisions, threads and sizes there are")
    parser.add_argument("--frames", type=count, default=150, metavar="N", help="to measure in each repetition (150)")
    parser.add_argument("--warm-up", type=whole, default=15, metavar="N", help="frames to leave out before (15)")
    parser.add_argument("--repetitions", type=count, default=3, metavar="N", help="of each setup, in turns (3)")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; stages run one after the other, without decode and encode."""
    portrait = options.portrait or str(next(iter(samples.portraits().values())))
    frames = first_frames(options.driver or str(samples.driver()), options.frames + options.warm_up, options.warm_up)
    prepared: dict[int, tuple[Portrait, ...]] = {}
    runs: dict[int, list[Run]] = {}
    setups, notes = list(_setups(options)), list[str]()
    for turn in range(options.repetitions):
        for number, setup in enumerate(setups):
            if turn and number not in runs:
                continue
            print(f"{_named(setup)}, {turn + 1} of {options.repetitions}", flush=True)
            control()
            size = setup.settings.size or 0
            if size not in prepared:
                prepared[size] = prepare(portrait, size=size)
            try:
                runs.setdefault(number, []).append(run_stages(setup, prepared[size], frames, options.warm_up))
            except MienError as error:
                runs.pop(number, None)
                notes.append(f"{_named(setup)}: not measured: {error}")
    control()
    if not runs:
        raise SourceError("; ".join(notes))
    driver = "{}x{}".format(*frames[0].size)
    conditions = {number: setups[number].condition() | {"driver": driver} for number in runs}
    first = min(runs)
    rows = [row for number, found in runs.items() for row in _rows(found, conditions[number], number == first)]
    return Result(
        bench="stages",
        about="each stage of one frame with the machine to itself, without decode and encode",
        rows=(*rows, _own_cost(frames[: options.warm_up + 100], options.warm_up)),
        checks=tuple(_checks({number: (setups[number], found) for number, found in runs.items()})),
        charts=(_chart({_named(setups[number]): found for number, found in runs.items()}),),
        notes=(*notes, *_about(setups, runs), *([why] if (why := why_not()) else []), *_NOTES),
    )


_NOTES: Final = (
    "allocated arrays are NumPy's, made by the stage itself; at least as many bytes are copied or computed",
    "newly mapped memory is page faults times the page size, native code's included",
    "the times are taken without counting; keeping the last picture costs nothing that can be measured",
)


def _setups(options: argparse.Namespace) -> Iterator[Setup]:
    models = options.model or [ReenactSettings().model]
    sizes = options.size or (SIZES if options.matrix else (512,))
    counts = options.threads or (sorted({1, usable_threads()}) if options.matrix else (None,))
    for model in models:
        for backend, precision in _computed(model, options):
            for size in sizes:
                for threads in counts:
                    yield Setup(
                        ReenactSettings(
                            model=model,
                            backend=backend,
                            style=options.style,
                            size=size,
                            threads=threads,
                            mark=False,
                        ),
                        precision,
                    )


def _computed(model: str, options: argparse.Namespace) -> Iterator[tuple[Backend, str | None]]:
    """Backends with their precisions. A combination that does not work is reported when it is opened."""
    if model == WARP:
        yield "auto", None
        return
    found = usable()[0]
    all_here = [name for name in BACKENDS if name in found]
    backends: Sequence[Backend] = options.backend or (all_here if options.matrix else ["auto"])
    precisions: Sequence[str | None] = options.precision or [None]
    if options.matrix and not options.precision:
        precisions = [*_precisions(model)]
    for backend in backends:
        for precision in precisions:
            if not (options.matrix and backend == "onnxruntime" and precision in ("bf16", "int8+bf16", "fp16")):
                yield backend, precision


def _precisions(model: str) -> list[str]:
    """Those that the bundle has, and bf16, in which OpenVINO computes the same graphs."""
    bundle = read_bundle(bundles.find(model))
    return list(dict.fromkeys([*bundle.precisions(bundle.main), "bf16", "int8+bf16"]))


def _chart(runs: dict[str, list[Run]]) -> Chart:
    """Medians of the stages' medians, by setup."""
    bars = {
        setup: {name: median(run.stages[name].p50 for run in found) for name in found[0].stages if name != WHOLE}
        for setup, found in runs.items()
    }
    return stack("Where a frame's time goes", "ms (medians)", bars)


def _rows(runs: Sequence[Run], condition: dict[str, Fact], first: bool) -> Iterator[Row]:
    for name in runs[0].stages:
        for rank in ("p50", "p95", "p99", "max"):
            values = tuple(getattr(run.stages[name], rank) for run in runs)
            head = f"all stages of a frame, {rank}" if first and name == WHOLE and rank in ("p50", "p95") else ""
            yield Row(f"{name} {rank}", "ms", values, "lower", condition, headline=head)
    yield Row(f"{WHOLE} processor time", "ms", tuple(run.processor_ms for run in runs), "lower", condition)
    yield Row("threads of the process", "", tuple(float(run.threads) for run in runs), "neither", condition)
    yield Row(f"{WHOLE} newly mapped memory", "MB", tuple(run.fresh_mb for run in runs), "lower", condition)
    for name in runs[0].allocated:
        yield Row(
            f"{name} NumPy arrays allocated", "", tuple(run.allocated[name][0] for run in runs), "lower", condition
        )
        yield Row(
            f"{name} NumPy arrays allocated, size",
            "MB",
            tuple(run.allocated[name][1] for run in runs),
            "lower",
            condition,
        )
    if all(run.device_ms for run in runs):
        medians = tuple(float(np.median(run.device_ms)) for run in runs)
        yield Row("generator on the GPU p50", "ms", medians, "lower", condition, note="events on its stream")


def _own_cost(frames: Sequence[Frame], warm_up: int) -> Row:
    """The cost of timing itself: a frame through stages that do nothing."""
    chain: SingleStage[Frame] = SingleStage(lambda _, frame, level: frame.pixels)
    idle: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda face, _: face, chain)
    whole = measure(idle, frames, warm_up, MonotonicClock()).latencies()[WHOLE]
    return Row("harness: cost of timing a frame", "ms", (whole.p50,), "neither")


def _checks(found: dict[int, tuple[Setup, list[Run]]]) -> Iterator[Check]:
    """Checks that the timed runs made moving pictures, the same ones with each backend."""
    first: dict[tuple[str, int | None], Run] = {}
    for setup, runs in found.values():
        name, last = _named(setup), runs[-1]
        yield moves(name, last)
        same = first.setdefault((setup.settings.model, setup.settings.size), runs[0])
        apart = max(apart_by(run.pictures[1], same.pictures[1]) for run in runs)
        if same is not last:
            yield Check(f"{name}: same pictures", f"<= {ALIKE:g} levels", f"{apart:.2f}", apart <= ALIKE)


def _about(setups: Sequence[Setup], runs: dict[int, list[Run]]) -> Iterator[str]:
    for number, found in runs.items():
        if setups[number].settings.model != WARP and setups[number].precision is None:
            yield f"{_named(setups[number])}: {found[-1].about}"


def _named(setup: Setup) -> str:
    return " ".join(str(value) for value in setup.condition().values())
