"""`mien export labels`: labels of a folder of portraits, made once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from mien.commands.options import Options
from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.families.parsing.labelled import default_place, label_faces, load, save


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a folder, file, picture or place is not as it should be.
    """
    options = _parser().parse_args(arguments)
    if options.refine is None and options.data is None:
        raise SettingError("labels: expected --data DIR with faces, or --refine FILE, got neither")
    place = options.out or default_place(options.split)
    if options.refine is not None:
        from mien_export.families.parsing.refining import refine  # torch

        labelled = load(options.labels or default_place(options.split))
        save(place, refine(labelled, options.refine, _told(len(labelled))))
    else:
        faces = Faces(options.data, options.split)
        save(place, label_faces(faces, _told(faces.count)))
    print(place)
    return 0


def _told(count: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % 50 == 0 or done == count:
            print(f"{done}/{count} portraits labelled", file=sys.stderr, flush=True)

    return tell


def _parser() -> Options:
    parser = Options(
        prog="mien export labels",
        description="Make the labels of 19 classes that the family `parsing` learns from: about 0.4 s a portrait.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of faces, with manifest.csv")
    parser.add_argument("--split", default="train", metavar="NAME", help="of the manifest (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="an .npz file (default: in the user's cache)")
    parser.add_argument(
        "--refine", type=Path, metavar="FILE", help="checkpoint of a segmenter that corrects the labels there are"
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="labels to refine (default: in the user's cache)")
    return parser
