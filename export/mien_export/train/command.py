"""`mien export train`: a run by the name of its configuration."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from mien.errors import SettingError, SinkError
from mien_export.data.faces import Faces
from mien_export.train import checkpoint
from mien_export.train.config import CONFIGS
from mien_export.train.loop import LATEST, Run, train


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a setting or the data is not as it should be.
    """
    options = _parser().parse_args(arguments)
    if options.config not in CONFIGS:
        raise SettingError(f"--config must be one of {', '.join(CONFIGS)}, got {options.config!r}")
    _need_device(options.device)
    faces = Faces(options.data, "train")
    if options.resume is not None:
        _take_over(options.resume, options.out / LATEST)
    config = CONFIGS[options.config]
    train(
        config if options.steps is None else config.shortened(options.steps),
        faces,
        options.seed,
        Run(
            options.out,
            device=options.device,
            workers=options.workers,
            threads=options.threads,
            seconds=options.seconds,
            mouths=options.mouths,
            begin=options.begin,
        ),
    )
    print(options.out / LATEST)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mien export train",
        description="Train a network on a folder of faces. A run goes on where it was stopped or killed, to the bit: "
        "give the same --out again.",
    )
    parser.add_argument("--config", required=True, metavar="NAME", help=f"one of {', '.join(CONFIGS)}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoints and picture grids")
    parser.add_argument("--mouths", type=Path, metavar="DIR", help="folder of the ICT face model, for wide mouths")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="stop, with a checkpoint, after so long")
    parser.add_argument("--steps", type=_steps, metavar="N", help="in all, instead of the configuration's")
    parser.add_argument("--begin", type=Path, metavar="DIR", help="bundle whose weights a new run begins with")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same run (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make pairs (default: 1)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads of the network")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on from this checkpoint, in a new --out")
    return parser


def _steps(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected more than 0, got {text}")
    return value


def _need_device(name: str) -> None:
    kind = name.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise SettingError(f"--device must be cpu or cuda, got {name!r}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise SettingError(f"--device {name}: expected a GPU that torch {torch.__version__} can use, got none; use cpu")


def _take_over(resumed: Path, latest: Path) -> None:
    """Put a checkpoint where the run looks for its own.

    Raises:
        SettingError: it is no checkpoint, or the run has another of its own.
        SinkError: it cannot be put there.
    """
    checkpoint.load(resumed)
    if latest.exists() and not latest.samefile(resumed):
        raise SettingError(f"{latest} is there: the run goes on from it; give another --out or leave out --resume")
    try:
        latest.parent.mkdir(parents=True, exist_ok=True)
        if not latest.exists():
            beside = latest.with_suffix(".part")
            shutil.copyfile(resumed, beside)
            beside.replace(latest)
    except OSError as error:
        raise SinkError(f"{latest}: cannot be written ({error.strerror})") from error
