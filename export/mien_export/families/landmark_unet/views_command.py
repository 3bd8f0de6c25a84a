"""`mien export views`: views of a folder of portraits, made once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from mien.commands.options import Options
from mien_export.data.faces import Faces
from mien_export.data.views import LEAST, make_views, save
from mien_export.families.landmark_unet.network import SIZES


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a folder, picture or place is not as it should be.
    """
    options = _parser().parse_args(arguments)
    faces = Faces(options.data, options.split)
    save(options.out, make_views(faces, options.views, options.side, options.seed, _told(faces.count)))
    print(options.out)
    return 0


def _told(count: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % 50 == 0 or done == count:
            print(f"{done}/{count} portraits", file=sys.stderr, flush=True)

    return tell


def _views(text: str) -> int:
    value = int(text)
    if value < LEAST:
        raise argparse.ArgumentTypeError(f"expected {LEAST} or more, got {text}")
    return value


def _parser() -> Options:
    parser = Options(
        prog="mien export views",
        description="Animate each portrait a few times, for `mien export train --config landmark-unet --packed FILE`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--split", default="train", metavar="NAME", help="of the manifest (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="an .npz file")
    parser.add_argument("--views", type=_views, default=6, metavar="N", help="of each portrait (default: %(default)s)")
    sides = sorted({size.side for size in SIZES.values()})
    parser.add_argument("--side", type=int, choices=sides, default=64, metavar="S", help=f"of {sides} (default: 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same views (default: %(default)s)")
    return parser
