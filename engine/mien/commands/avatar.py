"""`mien avatar`: portraits of nobody."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from mien.commands.options import add_credentials, credentials_of

_UNIT = {
    "skin": "colour of the skin, 0 dark to 1 light",
    "smile": "0 none to 1 broad",
    "open_mouth": "0 closed, as a portrait is driven best, to 1 open",
    "long_hair": "0 short to 1 over the shoulders",
    "full_hair": "hair above the forehead, 0 bald to 1 full",
    "fringe": "hair on the forehead",
    "turn": "of the head, 0.5 frontal",
}
HAIRS = ("black", "brown", "dark", "fair", "red", "grey", "white")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Who is made, and where to."""
    parser.add_argument("--output", required=True, metavar="FILE", help="a .png or .jpg; is replaced")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same face (default: %(default)s)")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="make so many, numbered before the ending")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="side in pixels, 256 to 1024")
    parser.add_argument("--from", dest="map", type=Path, metavar="MAP.png", help="keep to this map of `mien parse`")
    parser.add_argument("--like", metavar="PICTURE", help="somebody with the traits and colours of who is seen here")
    parser.add_argument("--backdrop", metavar="COLOUR", help="#rrggbb or a name (default: muted, at random)")
    parser.add_argument("--model", default="scgan", metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads to use")
    add_credentials(parser)
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")
    traits = parser.add_argument_group("traits", "0 to 1; what is not given is left to chance")
    traits.add_argument("--hair", choices=HAIRS, help="its colour")
    for name, about in _UNIT.items():
        traits.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="V", help=about)
    traits.add_argument("--beard", type=float, nargs="?", const=1.0, metavar="V", help="0 none to 1 full (alone: 1)")
    traits.add_argument("--glasses", action="store_true", help="with glasses")


def run(options: argparse.Namespace, resolve: Callable[[str], str], tell: Callable[[str], None]) -> None:
    """Carry the command out.

    Args:
        resolve: the path of a name, which may be a sample's.
        tell: takes lines for the user.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    from mien.avatars import Order, avatar_files
    from mien.nobody.asking import Wish

    names = (*_UNIT, "beard", "hair")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    like = None if options.like is None else resolve(options.like)
    order = Order(
        options.seed, Wish(**given, glasses=options.glasses), options.size, options.backdrop, options.map, like
    )

    def told(line: str) -> None:
        tell(line if line.startswith("content credentials") else f"model: {line}")

    files = avatar_files(
        options.output,
        order,
        count=options.count,
        model=options.model,
        threads=options.threads,
        credentials=credentials_of(options),
        begun=None if options.quiet else told,
    )
    if not options.quiet:
        tell(f"{files[0] if len(files) == 1 else f'{files[0]} to {files[-1].name}'}: nobody, seed {options.seed}")
