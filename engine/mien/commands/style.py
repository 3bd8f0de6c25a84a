"""`mien style`: a picture or video in a painter's style."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from mien.commands.options import add_marks_and_running, credentials_of
from mien.stats import Statistics

if TYPE_CHECKING:
    from mien.pipeline import Progress


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, what is written, and how."""
    parser.add_argument("source", metavar="PICTURE|VIDEO", help="anything; a face is not needed")
    parser.add_argument("--output", required=True, metavar="SINK", help="picture or video file; is replaced")
    parser.add_argument("--style", required=True, metavar="NAME", help="NAME[:STRENGTH], several joined by +")
    parser.add_argument("--model", metavar="NAME", help="a bundle of styles (the installed one that has it)")
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
    from mien.styling import style_file

    return style_file(
        source,
        options.output,
        options.style,
        model=options.model,
        mark=not options.no_mark,
        invisible_mark=not options.no_invisible_mark,
        credentials=credentials_of(options),
        start=options.start,
        duration=options.duration,
        threads=options.threads,
        begun=begun,
        progress=progress,
    )
