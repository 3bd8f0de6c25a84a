"""`mien export ablation`: the thesis's table 4.2, trained: its columns as bundles, the same steps or minutes for each.

`mien bench quality --ablation DIR` measures them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from mien.commands.options import Options
from mien.errors import SettingError
from mien.manifest import MANIFEST
from mien_export.families.oneshot_paper.config import ABLATION
from mien_export.graphs import command as onnx
from mien_export.train import command as training
from mien_export.train.loop import LATEST

PREFIX: Final = "paper-64-"
"""Of configurations; what follows is the column."""
CHECKPOINTS: Final = ".runs"


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a setting or the data is not as it should be.
    """
    options = _parser().parse_args(arguments)
    for column in options.columns:
        if column not in COLUMNS:
            raise SettingError(f"--columns must be of {', '.join(COLUMNS)}, got {column!r}")
    for number, column in enumerate(options.columns, 1):
        out = options.out / column
        print(f"column {number} of {len(options.columns)}: {column}", file=sys.stderr, flush=True)
        if (out / MANIFEST).exists():
            print(f"{out}  there already")
            continue
        training.main(_training(options, column))
        onnx.main(_exporting(options, column, out))
    return 0


COLUMNS: Final = tuple(name.removeprefix(PREFIX) for name in ABLATION)
"""In the thesis's order."""


def _training(options: argparse.Namespace, column: str) -> list[str]:
    given = ["--config", PREFIX + column, "--data", str(options.data), "--out", str(_run(options, column))]
    given += ["--seed", str(options.seed), "--device", options.device]
    given += ["--seconds", str(60 * options.minutes)] if options.steps is None else ["--steps", str(options.steps)]
    given += ["--workers", str(options.workers)]
    for name in ("threads", "vgg", "identity"):
        if (value := getattr(options, name)) is not None:
            given += [f"--{name}", str(value)]
    return given


def _exporting(options: argparse.Namespace, column: str, out: Path) -> list[str]:
    checkpoint = _run(options, column) / LATEST
    return ["--checkpoint", str(checkpoint), "--out", str(out), "--name", column, "--data", str(options.data)]


def _run(options: argparse.Namespace, column: str) -> Path:
    folder: Path = options.out / CHECKPOINTS / column
    return folder


def _minutes(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected more than 0, got {text}")
    return value


def _steps(text: str) -> int:
    value = int(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export ablation",
        description="Train the thesis's networks at 64 x 64 without the concatenation and with several weights of the "
        "appearance loss, and write a bundle of each. A column that is there is left as it is.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a bundle by the name of each column")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=_minutes, default=30.0, metavar="M", help="for each column (default: 30)")
    length.add_argument(
        "--steps", type=_steps, metavar="N", help="instead: whole schedules of so many steps, whatever else runs"
    )
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), metavar="NAME", help=f"of {', '.join(COLUMNS)}")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same for all (default: %(default)s)")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make samples (default: 1)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads of the networks")
    parser.add_argument("--vgg", type=Path, metavar="FILE", help="as in mien export train")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="as in mien export train")
    return parser
