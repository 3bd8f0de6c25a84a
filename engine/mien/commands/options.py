"""Command line options: one-line errors, and number types with a range."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from mien.config import CredentialSettings, ReenactSettings
from mien.errors import SettingError
from mien.machine.outputs import need_file_place
from mien.places import need_apart


class Options(argparse.ArgumentParser):
    """A parser that raises SettingError instead of printing its usage and leaving; so do those of its commands.

    A path (`type=Path`) is never the empty one, which stands for the working folder.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.register("type", Path, _path)

    def print_help(self, file: Any = None) -> None:
        """Print it; unlike the base class, which passes over an output that does not take it.

        Raises:
            OSError: it cannot be written.
        """
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        """Refuse, in one line."""
        raise SettingError(f"{message}; `{self.prog} --help` tells more")


def positive(text: str) -> float:
    """The type of an option that is a number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def not_negative(text: str) -> float:
    """The type of an option that is a number from 0 up."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0 up, got {text}")
    return value


def count(text: str) -> int:
    """The type of an option that is a whole number above 0."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text}")
    return int(text)


def whole(text: str) -> int:
    """The type of an option that is a whole number from 0 up."""
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 up, got {text}")
    return int(text)


def need_places(
    outputs: Iterable[Path | None],
    inputs: Iterable[str],
    *,
    sink: str | None = None,
    settings: ReenactSettings | None = None,
) -> None:
    """Refuse files to write that cannot be, are one file, or are among those that are read; before the work.

    Args:
        outputs: files, None for those that are not wanted.
        inputs, sink, settings: see `need_apart`.

    Raises:
        SinkError: one of them cannot be written, or would destroy another one.
    """
    wanted = [path for path in outputs if path is not None]
    for path in wanted:
        need_file_place(path, str(path))
    need_apart(wanted, inputs, sink=sink, settings=settings)


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("expected the name of a file or folder, got an empty one")
    return Path(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def add_marks_and_running(parser: argparse.ArgumentParser, *, files: bool = True) -> None:
    """Options of all commands that make a video: its marks, threads, and how much is said; `files`: see below."""
    parser.add_argument("--no-mark", action="store_true", help='leave out the visible "synthetic" mark')
    parser.add_argument("--no-invisible-mark", action="store_true", help="leave out what mien verify reads")
    add_credentials(parser, files=files)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads to use")
    parser.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")


def add_credentials(parser: argparse.ArgumentParser, *, files: bool = True) -> None:
    """Options of all commands that write files which say what made them, signed.

    Args:
        files: False for `mien serve`, which signs records: they have the notes of the portraits, its --cert is of TLS.
    """
    group = parser.add_argument_group("content credentials", "what files say of themselves, signed: docs/provenance.md")
    group.add_argument("--no-credentials", action="store_true", help="leave them out")
    group.add_argument("--sign", metavar="KEY", help="private key (PEM) that signs (else one that mien makes)")
    names = ("--cert", "--sign-cert") if files else ("--sign-cert",)
    about = "its certificates (PEM), the signer's first"
    group.add_argument(*names, dest="sign_cert", metavar="CERT", help=about)
    if not files:
        parser.set_defaults(consent=None, thumbnails=False)
        return
    group.add_argument("--consent", metavar="TEXT", help="note on who is seen and that they agree, to go along")
    group.add_argument("--thumbnails", action="store_true", help="small pictures of what is read go along, too")


def credentials_of(options: argparse.Namespace) -> CredentialSettings:
    """What they ask for.

    Raises:
        SettingError: a key without certificates, or the other way round.
    """
    return CredentialSettings(
        not options.no_credentials, options.sign, options.sign_cert, options.consent, options.thumbnails
    )


def marks_of(options: argparse.Namespace) -> dict[str, Any]:
    """The same, and the marks, as `ReenactSettings` takes them."""
    return {
        "mark": not options.no_mark,
        "invisible_mark": not options.no_invisible_mark,
        "credentials": credentials_of(options),
    }
