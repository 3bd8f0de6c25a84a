"""`mien export onnx`: a model bundle from a checkpoint."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mien
from mien.bundles import find
from mien.commands.options import Options
from mien.errors import SettingError
from mien.machine.processor import usable_threads
from mien.manifest import read_bundle
from mien.manifest.bundle import PRECISIONS
from mien_export.data.faces import Faces
from mien_export.families.family import Trained
from mien_export.families.oneshot_live.networks import KIND
from mien_export.families.oneshot_live.weights import averaged
from mien_export.families.registry import family_of, read_trained
from mien_export.graphs.float16 import with_float16
from mien_export.graphs.half_weights import write_halved
from mien_export.graphs.writing import RealFaces, Words, need_precisions, replaced, write_bundle

UNKNOWN = "unknown"


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a checkpoint, folder or setting that is not as it should be.
    """
    options = _parser().parse_args(arguments)
    precisions = _precisions(options.precision)
    if options.half_weights:
        return _with_half_weights(options)
    if options.bundle is not None:
        return _halved(options, precisions)
    if "int8" in precisions and options.data is None:
        raise SettingError("--precision int8 is calibrated on real pairs: expected --data DIR with faces, got none")
    trained = _averaged(read_trained(options.checkpoint), options.average)
    need_precisions(trained, precisions)
    faces = _faces(options) if "int8" in precisions else None
    with replaced(options.out) as folder:
        write_bundle(folder, trained, _words(options, trained), precisions, faces, options.threads, _tell)
    print(options.out)
    return 0


def _averaged(trained: Trained, models: list[str]) -> Trained:
    if not models:
        return trained
    if trained.family.kind != KIND:
        raise SettingError(f"--average is for models of kind {KIND}, got a checkpoint of kind {trained.family.kind}")
    return replace(trained, networks=averaged(trained.networks, trained.size, [find(model) for model in models]))


def _halved(options: argparse.Namespace, precisions: tuple[str, ...]) -> int:
    if precisions != ("fp16",):
        got = ",".join(precisions)
        raise SettingError(f"--bundle gives --precision fp16, got {got}; the others need --checkpoint")
    bundle = read_bundle(find(options.bundle))
    if not family_of(bundle.kind, str(bundle.folder)).halves_graphs:
        raise SettingError(
            f"--bundle is not for models of kind {bundle.kind}; give what it was trained to: --checkpoint"
        )
    with replaced(options.out) as folder:
        with_float16(bundle, folder)
    print(options.out)
    return 0


def _with_half_weights(options: argparse.Namespace) -> int:
    if options.bundle is None:
        raise SettingError("--half-weights is for --bundle, got --checkpoint; export it first")
    bundle = read_bundle(find(options.bundle))
    with replaced(options.out) as folder:
        write_halved(bundle, folder)
    print(options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export onnx",
        description="Write a model bundle: appearance.onnx, generator.onnx, their lower precisions, and manifest.toml.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, metavar="FILE", help="what mien export train wrote")
    source.add_argument("--bundle", metavar="MODEL", help="name or folder of a bundle, to have it in fp16 as well")
    parser.add_argument(
        "--average",
        action="append",
        default=[],
        metavar="MODEL",
        help="name or folder of a bundle that training began with or came to: the weights become the means over the "
        "checkpoint's and its (may be repeated)",
    )
    parser.add_argument(
        "--half-weights",
        action="store_true",
        help="with --bundle: keep the weights of its fp32 graphs in float16, at half the size; they compute as before",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; one there is replaced")
    parser.add_argument(
        "--precision", default="fp32", metavar="LIST", help=f"of {','.join(PRECISIONS)}; fp32 is always among them"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of faces, for int8")
    parser.add_argument("--calibrate", type=_count, default=64, metavar="N", help="training pairs for int8's ranges")
    parser.add_argument("--measure", type=_count, default=30, metavar="N", help="test pairs on which int8 is measured")
    parser.add_argument("--threads", type=_count, default=usable_threads(), metavar="N", help="processor threads")
    words = parser.add_argument_group("manifest", "what the bundle says of itself")
    words.add_argument("--name", help="what users type (default: the kind)")
    words.add_argument("--licence", default="Apache-2.0", help="of the weights (default: %(default)s)")
    words.add_argument("--commit", help="of the code that trained it (default: that of this code)")
    words.add_argument("--trained-on", metavar="WORDS", help="data and counts (default: steps, and what --data holds)")
    words.add_argument("--losses", metavar="WORDS", help="terms and extractors (default: as the checkpoint says)")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def _precisions(text: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in text.split(","))
    for part in wanted:
        if part not in PRECISIONS:
            raise SettingError(f"--precision must be of {', '.join(PRECISIONS)}, got {part!r}")
    return wanted


def _faces(options: argparse.Namespace) -> RealFaces:
    train, test = (Faces(options.data, split) for split in ("train", "test"))
    return RealFaces(train, test, options.calibrate, options.measure)


def _words(options: argparse.Namespace, trained: Trained) -> Words:
    return Words(
        name=options.name or trained.family.kind,
        licence=options.licence,
        version=mien.__version__,
        commit=options.commit or _commit(),
        trained_on=options.trained_on or _trained_on(options.data, trained),
        losses=options.losses or trained.said or trained.family.usual_losses,
    )


def _trained_on(data: Path | None, trained: Trained) -> str:
    words = f"{trained.family.learnt_from}, {trained.steps} steps, seed {trained.seed}"
    if data is None:
        return words
    faces = Faces(data, "train")
    people = len({faces.identity(index) for index in range(faces.count)})
    return f"{words}; {faces.count} portraits of {people} people"


def _commit() -> str:
    """Of the checkout that this code lies in, if it lies in one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return done.stdout.strip()


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
