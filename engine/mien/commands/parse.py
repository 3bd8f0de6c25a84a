"""`mien parse`: which class of face parsing each pixel of a picture or video is of."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from mien.stats import Statistics

if TYPE_CHECKING:
    from mien.pipeline import Progress


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, what is written, and how."""
    parser.add_argument("source", metavar="PICTURE|VIDEO", help="with a face")
    parser.add_argument("--output", required=True, metavar="SINK", help="a .png of a picture, a video of a video")
    parser.add_argument("--overlay", action="store_true", help="show the classes half over the picture itself")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="begin at this second")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads to use")
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")


def run(
    options: argparse.Namespace, source: str, begun: Callable[[int | None, str], None], progress: Progress
) -> Statistics:
    """Carry the command out.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    from mien.labelling import parse_file

    return parse_file(
        source,
        options.output,
        overlay=options.overlay,
        start=options.start,
        duration=options.duration,
        threads=options.threads,
        begun=begun,
        progress=progress,
    )
