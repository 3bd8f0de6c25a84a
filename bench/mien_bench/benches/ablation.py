"""`mien bench ablation`: columns of an ablation on unseen people: the paper's figures, and numbers beside them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mien.commands.options import count
from mien.errors import BackendError, SettingError
from mien.machine.processor import usable_threads
from mien.manifest import read_bundle
from mien.parse.models import FaceMesh
from mien_bench.ablation import figures, scores
from mien_bench.ablation.answers import Answer, answers, unchanged
from mien_bench.ablation.scores import Score, Scorer, scored
from mien_bench.control import Control
from mien_bench.quality.dlib_face import DlibDetector
from mien_bench.quality.pairs import pairs
from mien_bench.quality.people import unseen_faces
from mien_bench.results import Chart, Result, Table

GROUPS: Final = ("no-pixel", "no-consistency", "no-features")
"""Columns of the paper's groups of terms, which the full loss shall beat."""
RUNS, TERMS, COST = ".runs", "terms.jsonl", "cost.json"
"""What `mien export ablation` leaves beside the bundles: a folder of runs, and files of each."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--columns", type=Path, metavar="DIR", help="needed: bundles, named as the columns are")
    parser.add_argument("--data", type=Path, metavar="DIR", help="that has a folder faces (default: $MIEN_DATA)")
    parser.add_argument("--limit", type=count, metavar="N", help="people at most (all of the test split)")
    parser.add_argument("--variants", type=count, default=2, metavar="N", help="pairs made of each portrait (2)")
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument(
        "--train",
        nargs=argparse.REMAINDER,
        metavar="OPTION",
        help="last: train the columns that DIR lacks first, with these options of mien export ablation",
    )
    parser.epilog = "The page shows faces of the folder: do not publish it."


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; nothing is timed, so the control is not called.

    Raises:
        MienError: the folder of faces or a bundle is missing or broken, or the training failed.
    """
    if options.columns is None:
        raise SettingError("ablation: expected --columns DIR with a bundle of each column, got none")
    faces = _faces(options.data)
    if options.train:
        _train(faces, options.columns, options.train)
    names = [path.parent.name for path in sorted(options.columns.glob("*/manifest.toml"))]
    if not names:
        raise SettingError(f"{options.columns}: expected bundles of columns, got none; --train --steps N trains them")
    names.sort(key=lambda name: (name != scores.FULL, name not in GROUPS, name))
    found, marks, notes = _measured(options, faces, names)
    terms = {name: figures.read_terms(options.columns / RUNS / name / TERMS) for name in names}
    costs = _costs(options.columns, names)
    return Result(
        "ablation",
        f"{len(names)} columns, {len({score.identity for score in marks})} people",
        tuple(scores.rows(marks)),
        tuple(scores.checks(marks, GROUPS)),
        charts=_charts(options.columns, terms),
        tables=(scores.table(marks), *([costs] if costs.rows else [])),
        strips=(*map(figures.samples, found.values()), figures.errors(found)),
        notes=tuple(notes),
    )


def _measured(
    options: argparse.Namespace, faces: Path, names: Sequence[str]
) -> tuple[dict[str, list[Answer]], list[Score], list[str]]:
    """Answers to show, scores, and notes on what could not be told."""
    threads = options.threads or usable_threads()
    scenes = list(pairs(list(unseen_faces(faces, options.limit)), options.variants))
    notes, second_look = [], None
    try:
        second_look = DlibDetector()
    except BackendError as error:
        notes.append(f"no identity: {error}")
    found: dict[str, list[Answer]] = {}
    marks: list[Score] = []
    with FaceMesh(still=True, most=1) as mesh:
        scorer = Scorer(mesh, second_look)
        for name in names:
            own = list(answers(scenes, options.columns / name, threads))
            marks += scored(own, scorer, _told)
            found[name] = own[:: options.variants]
        marks += scored(unchanged(own), scorer, _told)
    return found, marks, notes


def _told(line: str) -> None:
    print(f"  {line}", flush=True)


def _charts(folder: Path, terms: Mapping[str, figures.Terms]) -> tuple[Chart, ...]:
    known = {name: lines for name, lines in terms.items() if lines}
    if not known:
        return ()
    weights = {name: figures.weights_of(read_bundle(folder / name).losses) for name in known}
    return figures.bars(known, weights), *figures.curves(known)


def _costs(folder: Path, names: Sequence[str]) -> Table:
    """What the training of each column has cost."""
    lines = []
    for name in names:
        path = folder / RUNS / name / COST
        if path.exists():
            cost: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            hours = (f"{cost[part] / 3600:.2f}" for part in ("seconds", "processor_seconds"))
            lines.append((name, str(cost["steps"]), *hours))
    return Table("Cost of the training", ("", "steps", "hours", "processor hours"), tuple(lines))


def _faces(data: Path | None) -> Path:
    root = data or os.environ.get("MIEN_DATA")
    if not root:
        raise SettingError("ablation: expected a data folder with faces, got none; name one by --data or MIEN_DATA")
    return Path(root) / "faces"


def _train(faces: Path, folder: Path, given: Sequence[str]) -> None:
    """Have the folder filled; columns that are there stay.

    Raises:
        BackendError: the training failed or was stopped; it has said why.
    """
    command = [sys.executable, "-P", "-m", "mien", "export", "ablation", "--data", str(faces), "--out", str(folder)]
    done = subprocess.run([*command, *given], check=False, stdout=sys.stderr)
    if done.returncode:
        raise BackendError(f"ablation: expected all columns to be trained, got exit code {done.returncode}; see above")
