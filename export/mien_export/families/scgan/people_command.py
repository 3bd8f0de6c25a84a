"""`mien export people`: what the avatar maker learns from, out of labelled portraits."""

from __future__ import annotations

import sys
from pathlib import Path

from mien.commands.options import Options
from mien_export.families.parsing.labelled import load
from mien_export.families.scgan.prepared import prepare


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: the labels are missing or broken, or the folder cannot be written.
    """
    parser = Options(
        prog="mien export people",
        description="Make what the avatar maker learns from: portraits with closed mouths, too, and the distribution "
        "of faces, hair, colours and traits.",
    )
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE", help="what mien export labels made")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the arrays")
    options = parser.parse_args(arguments)
    labelled = load(options.labels)

    def tell(done: int) -> None:
        if done % 100 == 0 or done == len(labelled):
            print(f"{done} of {len(labelled)} portraits", file=sys.stderr)

    prepare(labelled, options.out, tell)
    print(options.out)
    return 0
