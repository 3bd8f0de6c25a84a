"""`mien resynth`: a face video made anew from the label maps of its frames."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from mien.commands.options import add_marks_and_running, credentials_of
from mien.stats import Statistics

if TYPE_CHECKING:
    from mien.pipeline import Progress


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, what is written, and in whose style."""
    parser.add_argument("source", metavar="VIDEO", help="of a face")
    parser.add_argument("--output", required=True, metavar="SINK", help="video file or image sequence; is replaced")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--portrait", metavar="PICTURE", help="whose style it gets (default: the video's own)")
    style.add_argument("--style-frame", type=float, metavar="S", help="second of the frame whose style it gets")
    parser.add_argument("--model", default="spade-video", metavar="NAME", help="a bundle of the family spade-video")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="side of the output (default: %(default)s)")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="begin at this second")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    add_marks_and_running(parser)


def run(
    options: argparse.Namespace, source: str, begun: Callable[[int | None, str], None], progress: Progress
) -> Statistics:
    """Carry the command out.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    from mien.resynthesis import resynth_file

    return resynth_file(
        source,
        options.output,
        portrait=options.portrait,
        style_frame=options.style_frame,
        model=options.model,
        size=options.size,
        mark=not options.no_mark,
        invisible_mark=not options.no_invisible_mark,
        credentials=credentials_of(options),
        start=options.start,
        duration=options.duration,
        threads=options.threads,
        begun=begun,
        progress=progress,
    )
