"""`mien bench models`: every model that drives portraits, on the same portraits and drivers: quality, cost and size."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from mien import bundles, samples
from mien.bundles.driving import driving_models
from mien.commands.options import count, whole
from mien.config import WARP, ReenactSettings
from mien.frame import Frame
from mien.manifest import Bundle, read_bundle
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_bench.charts import stack
from mien_bench.control import Control
from mien_bench.material import first_frames
from mien_bench.quality import picture_strips, summary
from mien_bench.quality.clips import material_of
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.self_reenactment import MEASURES, Scored, measure
from mien_bench.quality.summary import CONDITION, mean_interval, short
from mien_bench.results import Chart, Fact, Result, Row, Table
from mien_bench.stage_timing import WHOLE, Run, Setup, moves, run_stages

SIZE: Final = 512
"""Longer side of the portrait whose frames are timed."""
SHOWN: Final = (("l1", "face"), ("l1", "inner_mouth"), ("l1", "eyes"), ("ssim", "face"), ("psnr", "uncovered"))
"""What of the measures stands in the table; all are rows."""
MEGABYTE: Final = 1e6


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="(all that drive portraits)")
    parser.add_argument("--clips", nargs="+", type=Path, metavar="PATH", help="drivers: video files or folders of them")
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures or folders of them")
    parser.add_argument("--data", type=Path, metavar="DIR", help="faces, clips and more (default: $MIEN_DATA)")
    parser.add_argument("--every", type=count, default=10, metavar="N", help="take every N-th frame of clips (10)")
    parser.add_argument("--limit", type=count, metavar="N", help="frames of a clip, at most")
    parser.add_argument("--frames", type=count, default=60, metavar="N", help="to time in each repetition (60)")
    parser.add_argument("--warm-up", type=whole, default=10, metavar="N", help="frames to leave out before (10)")
    parser.add_argument("--repetitions", type=count, default=3, metavar="N", help="of each model, in turns (3)")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument(
        "--strips", choices=("samples", "given"), default="samples", help="of nobody, or of what was given (samples)"
    )
    parser.epilog = "Without paths: the samples, and what the data folder holds. Strips show faces."


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`.

    Raises:
        MienError: material or a model is missing.
    """
    there = material_of(options)
    models = [_Model.of(name) for name in options.models or driving_models()]
    frames = first_frames(samples.driver(), options.frames + options.warm_up, options.warm_up)
    portrait = prepare(next(iter(samples.portraits().values())), size=SIZE)
    runs = _timed(models, portrait, frames, options, control)
    names = [model.name for model in models]
    print("scores ...", flush=True)
    scored = list(measure(there.scenes, names, options.threads, conditions=(CONDITION,)))
    print("strips ...", flush=True)
    given = options.strips == "given"
    clip = there.clips[0] if given else samples.driver()
    portraits = there.portraits[: picture_strips.MOST] if given else samples.portraits().values()
    return Result(
        "models",
        f"{len(models)} models on the same portraits and drivers: {len(there.clips)} clips, each its own truth",
        rows=tuple(_rows(models, runs, scored)),
        checks=tuple(moves(short(model.name), runs[model.name][-1]) for model in models),
        charts=(_chart(runs),),
        tables=(_table(models, runs, scored),),
        strips=tuple(picture_strips.strips(clip, list(portraits), names, options.threads)),
        notes=tuple(f"{short(model.name)}: {runs[model.name][-1].about}" for model in models if model.bundle),
    )


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    bundle: Bundle | None
    """None: it has no network."""

    @classmethod
    def of(cls, name: str) -> _Model:
        return cls(name, None if name == WARP else read_bundle(bundles.find(name)))

    @property
    def kind(self) -> str:
        return "no network" if self.bundle is None else f"{self.bundle.kind} {self.bundle.side} px"

    @property
    def megabytes(self) -> float:
        """Of its bundle, all precisions (10^6 bytes)."""
        if self.bundle is None:
            return 0.0
        return sum(path.stat().st_size for path in bundles.files_of(self.bundle.folder)) / MEGABYTE


def _timed(
    models: Sequence[_Model],
    portrait: tuple[Portrait, ...],
    frames: Sequence[Frame],
    options: argparse.Namespace,
    control: Control,
) -> dict[str, list[Run]]:
    """Repetitions of each model, in turns."""
    runs: dict[str, list[Run]] = {model.name: [] for model in models}
    for turn in range(options.repetitions):
        for model in models:
            print(f"{short(model.name)}, {turn + 1} of {options.repetitions}", flush=True)
            control()
            settings = ReenactSettings(model=model.name, size=SIZE, threads=options.threads, mark=False)
            runs[model.name].append(run_stages(Setup(settings), portrait, frames, options.warm_up))
    control()
    return runs


def _rows(models: Sequence[_Model], runs: Mapping[str, Sequence[Run]], scored: Sequence[Scored]) -> Iterator[Row]:
    for model in models:
        condition: dict[str, Fact] = {"model": short(model.name), "size": SIZE}
        found = runs[model.name]
        for stage in [name for name in (WHOLE, "paint") if name in found[0].stages]:
            for rank in ("p50", "p95"):
                values = tuple(getattr(one.stages[stage], rank) for one in found)
                yield Row(f"{stage} {rank}", "ms", values, "lower", condition)
        yield Row("processor time", "ms", tuple(one.processor_ms for one in found), "lower", condition)
        if model.bundle is not None:
            yield Row("bundle", "MB", (model.megabytes,), "lower", condition)
    for one in summary.summarise(scored):
        yield from summary.rows(one, "clips")


def _table(models: Sequence[_Model], runs: Mapping[str, Sequence[Run]], scored: Sequence[Scored]) -> Table:
    """A row for each model."""
    lines = []
    for model in models:
        found = runs[model.name]
        own = [one for one in scored if one.model == model.name]
        people = summary.by_identity([one.identity for one in own], np.array([one.values for one in own]))
        cells = [
            mean_interval([float(one[MEASURES.index(name), REGIONS.index(region)]) for one in people.values()])
            for name, region in SHOWN
        ]
        painted = [one.stages["paint"].p50 for one in found if "paint" in one.stages]
        cost = f"{median(one.stages[WHOLE].p50 for one in found):.1f}", f"{median(painted):.1f}" if painted else "-"
        lines.append((short(model.name), model.kind, f"{model.megabytes:.1f}", *cost, *cells))
    return Table(
        "Models that drive portraits",
        ("", "what it is", "MB", "frame ms", "paint ms", *(f"{name}, {region}" for name, region in SHOWN)),
        tuple(lines),
        notes=(
            f"Medians of {SIZE} x {SIZE} frames of the first sample, all stages without decode and encode, in turns.",
            "Scores: a clip's calmest frame asked for its others, no mouth shown; means over clips, 95 % intervals.",
        ),
    )


def _chart(runs: Mapping[str, Sequence[Run]]) -> Chart:
    bars = {
        short(name): {part: median(run.stages[part].p50 for run in found) for part in found[0].stages if part != WHOLE}
        for name, found in runs.items()
    }
    return stack("Where a frame's time goes, by model", "ms (medians)", bars)
