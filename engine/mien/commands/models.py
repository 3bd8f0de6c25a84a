"""`mien models`: lists, adds and removes models."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TextIO

from mien.errors import MienError, SettingError

WARP = "warp  moves the portrait's own pixels; no network, runs everywhere"
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MEBIBYTE = 2**20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command its own commands; without one it lists."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="list the models that are here")
    adding = actions.add_parser("add", help="add a model bundle: a folder, a .zip or .tar.gz, or its address")
    adding.add_argument("source", metavar="PATH|URL")
    adding.add_argument("--sha256", metavar="HEX", help="hash that the archive must have")
    removing = actions.add_parser("remove", help="remove a model that was added")
    removing.add_argument("name", metavar="NAME")
    for action in (listing, adding, removing):
        action.add_argument("--debug", action="store_true", help="show the traceback of an error")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Carry out the command; the lines say what was done.

    Raises:
        MienError: it cannot be done; nothing was changed.
    """
    if options.action == "add":
        yield _add(options.source, options.sha256)
    elif options.action == "remove":
        from mien.bundles.installing import remove

        yield f"removed {options.name} from {remove(options.name)}"
    else:
        yield from _list()


def _list() -> Iterator[str]:
    """One for each model; a broken one with its reason."""
    from mien.bundles import installed_bundles
    from mien.manifest import read_manifest

    yield WARP
    for place in installed_bundles():
        try:
            bundle = read_manifest(place.folder)
        except MienError as error:
            yield f"{place.name}  broken: {error}"
            continue
        where = "packaged" if place.packaged else str(place.folder)
        precisions = ", ".join(bundle.precisions(bundle.main))
        facts = f"{bundle.kind} {bundle.size}, {bundle.side} px, {precisions}, version {bundle.version}"
        yield f"{place.name}  {facts}; licence {bundle.licence}; {where}"


def _add(source: str, sha256: str | None) -> str:
    from mien.bundles.installing import add

    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise SettingError(f"--sha256 must be 64 hexadecimal digits, got {sha256!r}")
    line = DownloadLine(sys.stderr)
    try:
        bundle = add(source, sha256, line)
    finally:
        line.clear()
    return f"added {bundle.name} ({bundle.kind} {bundle.size}, licence {bundle.licence}) in {bundle.folder}"


class DownloadLine:
    """Progress of a download on one line of a terminal; prints nothing without a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told = -1

    def __call__(self, done: int, total: int | None) -> None:
        """Of so many bytes; `total` None where nobody knows."""
        step = done // _MEBIBYTE
        if step == self._told or not self._out.isatty():
            return
        self._told = step
        share = f" of {total / _MEBIBYTE:.0f}, {100 * done // total} %" if total else ""
        self._out.write(f"\r\x1b[2K{done / _MEBIBYTE:.0f} MiB{share}")
        self._out.flush()

    def clear(self) -> None:
        """Leave the line empty for what is said next."""
        if self._told >= 0:
            self._out.write("\r\x1b[2K")
            self._out.flush()
