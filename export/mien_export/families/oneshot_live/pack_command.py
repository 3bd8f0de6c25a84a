"""`mien export pack`: pairs made beforehand, for machines whose GPU learns faster than their processors make pairs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from mien.commands.options import Options
from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.data.packed import pack, part_folder
from mien_export.families.oneshot_live.course import CONFIGS, LiveCourse


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a setting or the data is not as it should be.
    """
    options = _parser().parse_args(arguments)
    if options.config not in CONFIGS:
        raise SettingError(f"--config must be one of {', '.join(CONFIGS)}, got {options.config!r}")
    course = LiveCourse(CONFIGS[options.config], mouths=options.mouths)
    faces = Faces(options.data, "train")
    for part, stage in enumerate(course.parts):
        count = min(options.count, stage.steps * stage.batch)
        samples = course.samples(faces, options.seed, part)
        folder = part_folder(options.out, part)
        pack(folder, samples, count, {"side": stage.side}, _told(part, count), options.workers)
        print(folder)
    return 0


def _told(part: int, count: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"part {part}: {min(done, count)} of {count} pairs", end=end, file=sys.stderr, flush=True)

    return told


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export pack",
        description="Make the pairs that a live network learns from beforehand; `mien export train --packed DIR` takes "
        "them, over and over. About 0.2 MB a pair of 128 pixels. Goes on where it was stopped.",
    )
    parser.add_argument("--config", required=True, metavar="NAME", help=f"one of {', '.join(CONFIGS)}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=_count, default=40_000, metavar="N", help="pairs of each part (%(default)s)")
    parser.add_argument("--mouths", type=Path, metavar="DIR", help="folder of the ICT face model, for wide mouths")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same pairs (default: %(default)s)")
    parser.add_argument("--workers", type=_count, default=1, metavar="N", help="processes (default: %(default)s)")
    return parser
