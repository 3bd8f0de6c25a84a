"""`mien morph`: a portrait between two; and the options that give a live or rendered portrait a second one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from mien.commands.options import add_credentials, count, credentials_of
from mien.commands.progress import tell
from mien.config import ReenactSettings
from mien.errors import SettingError, without_controls

HOWS = ("mesh",)
"""What makes a morph."""
MOST = 24
"""Largest number of morphs in one picture."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, what is written, and how."""
    parser.add_argument("first", metavar="PORTRAIT", help="picture with a face; decides the size")
    parser.add_argument("second", metavar="PORTRAIT", help="picture that it is blended with")
    parser.add_argument("--output", required=True, metavar="FILE", help="picture; is replaced")
    either = parser.add_mutually_exclusive_group()
    _add_degree(either)
    either.add_argument("--count", type=count, metavar="N", help="so many side by side, from the first to the second")
    parser.add_argument("--how", choices=HOWS, default=HOWS[0], help="mesh: both warped to one shape and blended")
    parser.add_argument("--size", type=int, metavar="N", help="longer side of each picture in pixels")
    parser.add_argument("--no-mark", action="store_true", help='leave out the visible "synthetic" mark')
    add_credentials(parser)
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")


def add_second(parser: argparse.ArgumentParser) -> None:
    """Options of commands that move a portrait."""
    parser.add_argument("--morph", metavar="PORTRAIT", help="a second portrait that the first is blended with")
    _add_degree(parser)


def _add_degree(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--degree",
        type=float,
        default=ReenactSettings().degree,
        metavar="D",
        help=f"how far towards the second portrait, 0 to 1 ({ReenactSettings().degree:g})",
    )


def run(options: argparse.Namespace, named: Callable[[str], str]) -> None:
    """Carry the command out; `named` gives the path behind a name such as `sample:mira`.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    from mien.morphing.pictures import morph_file

    degrees = [options.degree]
    if options.count is not None:
        if not 2 <= options.count <= MOST:
            raise SettingError(f"count must be a whole number from 2 to {MOST}, got {options.count}")
        degrees = [number / (options.count - 1) for number in range(options.count)]
    first, second = named(options.first), named(options.second)
    morph_file(
        first,
        second,
        options.output,
        degrees,
        size=options.size,
        mark=not options.no_mark,
        credentials=credentials_of(options),
        told=lambda line: tell(sys.stderr, f"mien: warning: {without_controls(line)}\n"),
    )
