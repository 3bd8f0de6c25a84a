"""`mien export ablation`: the columns of a paper's ablation, trained equally long, and a bundle of each.

With a number of steps the columns have turns, so that all of them come equally far whenever the command is stopped. The
same command goes on. `mien bench ablation` and `mien bench quality --ablation DIR` measure the bundles.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.commands.options import Options, count, positive
from mien.errors import SettingError
from mien.machine.atomic import write_atomically
from mien.manifest import MANIFEST
from mien_export.data.faces import Faces
from mien_export.families.landmark_unet.network import KIND as LANDMARK_UNET
from mien_export.families.oneshot_paper.config import ABLATION
from mien_export.families.oneshot_paper.networks import KIND as ONESHOT_PAPER
from mien_export.families.registry import course_of
from mien_export.graphs import command as onnx
from mien_export.train import checkpoint
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given
from mien_export.train.loop import LATEST, Run, train

USUAL: Final = "oneshot-paper"
CHECKPOINTS: Final = ".runs"
"""Folder of the columns' runs, beside their bundles."""
COST: Final = "cost.json"
"""In a run's folder: seconds and processor seconds of its training, and its steps."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is trained."""

    config: str
    """As `mien export train --config` takes it."""
    without: tuple[str, ...] = ()
    """Terms of the loss whose weight is 0."""


_PAPER_PREFIX: Final = "paper-64-"
_UNET: Final[Mapping[str, tuple[str, ...]]] = {
    "full": (),
    "no-pixel": ("pixel",),
    "no-consistency": ("itself", "triple"),
    "no-features": ("perceptual", "identity"),
    "no-adversarial": ("adversarial",),
    "no-itself": ("itself",),
    "no-triple": ("triple",),
    "no-perceptual": ("perceptual",),
    "no-identity": ("identity",),
}
"""The first four are the paper's runs; the others leave one term out, which it could not do."""

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    ONESHOT_PAPER: {name.removeprefix(_PAPER_PREFIX): Column(name) for name in ABLATION},
    LANDMARK_UNET: {name: Column(LANDMARK_UNET, without) for name, without in _UNET.items()},
}
"""By kind, in the papers' order."""


def main(arguments: list[str]) -> int:
    """Run the command; 1 if it was asked to stop before all columns were trained.

    Raises:
        MienError: a setting or the data is not as it should be.
    """
    options = _parser().parse_args(arguments)
    columns = _chosen(options)
    lacking = []
    for name in columns:
        if (options.out / name / MANIFEST).exists():
            print(f"{options.out / name}  there already")
        else:
            lacking.append(name)
    faces = Faces(options.data, "train") if lacking else None
    for turn in _turns(options.steps, options.turn):
        for number, name in enumerate(lacking, 1):
            until = "" if turn is None else f", to step {turn} of {options.steps}"
            print(f"column {number} of {len(lacking)}: {name}{until}", file=sys.stderr, flush=True)
            assert faces is not None
            if not _trained(options, name, columns[name], turn, faces):
                return 1
    for name in lacking:
        onnx.main(_exporting(options, name))
    return 0


def _chosen(options: argparse.Namespace) -> dict[str, Column]:
    if options.family not in COLUMNS:
        raise SettingError(f"--family must be one of {', '.join(COLUMNS)}, got {options.family!r}")
    known = COLUMNS[options.family]
    for name in options.columns or known:
        if name not in known:
            raise SettingError(f"--columns must be of {', '.join(known)}, got {name!r}")
    return {name: known[name] for name in options.columns or known}


def _turns(steps: int | None, turn: int) -> list[int | None]:
    """Up to which step each column is trained, one turn after the other; None: as long as it is given."""
    return [None] if steps is None else [*range(turn, steps, turn), steps]


def _trained(options: argparse.Namespace, name: str, column: Column, until: int | None, faces: Faces) -> bool:
    """Give a column its turn; whether it came to the end of it."""
    folder = options.out / CHECKPOINTS / name
    done = _done(folder)
    if until is not None and done >= until:
        return True
    given = Given(options.vgg, options.identity, options.hed)
    weights = [(term, 0.0) for term in column.without]
    course = course_of(column.config, Asked(options.steps, weights, given, packed=options.packed))
    seconds = 60 * options.minutes if until is None else None
    run = Run(folder, options.device, options.workers, options.threads, seconds, until)
    began, computed = time.monotonic(), time.process_time()
    history = train(course, faces, options.seed, run)
    _account(folder, time.monotonic() - began, time.process_time() - computed, done + len(history))
    return until is None or done + len(history) >= until


def _done(folder: Path) -> int:
    """Steps of a run."""
    path = folder / LATEST
    return int(checkpoint.load(path)["done"]) if path.exists() else 0


def _account(folder: Path, seconds: float, computed: float, steps: int) -> None:
    """Add to what a run has cost; what a run that was killed had cost since its last turn is not known."""
    path = folder / COST
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    cost = {
        "seconds": before.get("seconds", 0.0) + seconds,
        "processor_seconds": before.get("processor_seconds", 0.0) + computed,
        "steps": steps,
    }
    write_atomically(path, json.dumps(cost).encode())


def _exporting(options: argparse.Namespace, name: str) -> list[str]:
    latest = options.out / CHECKPOINTS / name / LATEST
    return ["--checkpoint", str(latest), "--out", str(options.out / name), "--name", name, "--data", str(options.data)]


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export ablation",
        description="Train networks that differ in one thing, equally long, and write a bundle of each: oneshot-paper "
        "at 64 x 64 without the concatenation and with several weights of the appearance loss (table 4.2), "
        "landmark-unet without groups of terms and single terms. A column that is there is left as it is.",
    )
    parser.add_argument("--family", default=USUAL, metavar="NAME", help=f"of {', '.join(COLUMNS)} (default: {USUAL})")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a bundle by the name of each column")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=positive, default=30.0, metavar="M", help="for each column (default: 30)")
    length.add_argument(
        "--steps", type=count, metavar="N", help="instead: whole schedules of so many steps, whatever else runs"
    )
    parser.add_argument(
        "--turn", type=count, default=250, metavar="N", help="steps of a column before the next one's (default: 250)"
    )
    parser.add_argument("--columns", nargs="+", metavar="NAME", help="those of the family (default: all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same for all (default: %(default)s)")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make samples (default: 1)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads of the networks")
    parser.add_argument("--packed", type=Path, metavar="FILE", help="as in mien export train: views of landmark-unet")
    features = parser.add_mutually_exclusive_group()
    features.add_argument("--vgg", type=Path, metavar="FILE", help="as in mien export train")
    features.add_argument("--hed", type=Path, metavar="FILE", help="as in mien export train")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="as in mien export train")
    return parser
