"""`mien export labels`: labels of a folder of portraits, made once."""

from __future__ import annotations

import sys
from pathlib import Path

from mien.commands.options import Options
from mien_export.data.faces import Faces
from mien_export.families.parsing.labelled import default_place, label_faces, save


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a folder, picture or place is not as it should be.
    """
    options = _parser().parse_args(arguments)
    faces = Faces(options.data, options.split)
    place = options.out or default_place(options.split)

    def tell(done: int) -> None:
        if done % 50 == 0 or done == faces.count:
            print(f"{done}/{faces.count} portraits labelled", file=sys.stderr, flush=True)

    save(place, label_faces(faces, tell))
    print(place)
    return 0


def _parser() -> Options:
    parser = Options(
        prog="mien export labels",
        description="Make the labels of 19 classes that the family `parsing` learns from: about 0.4 s a portrait.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--split", default="train", metavar="NAME", help="of the manifest (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="an .npz file (default: in the user's cache)")
    return parser
