"""`mien verify`: what a file says of itself, in three lines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mien.errors import SettingError, without_controls

FOUND, NOTHING = 0, 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, and how it is told."""
    about = "that may have been made with mien; or the record of a call"
    parser.add_argument("source", metavar="FILE|URL|PICTURE|RECORD", help=about)
    parser.add_argument("--key", default="", metavar="WORDS", help="that the invisible mark was drawn with")
    parser.add_argument("--trust", type=Path, metavar="CERT", help="certificates (PEM) of issuers whom you trust")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of three lines")


def run(options: argparse.Namespace) -> int:
    """Carry the command out: 0 where something was found and agrees, 1 where not.

    Raises:
        MienError: it cannot be read, in one line.
    """
    if not options.source:
        raise SettingError("expected a file, an address or a picture to verify, got an empty name; name one")
    from mien.credentials.identity import certificates_in
    from mien.verdict import of_file, of_record

    trusted = () if options.trust is None else certificates_in(options.trust)
    told = of_record(Path(options.source), trusted)
    if told is None:
        told = of_file(options.source, options.key.encode(), trusted)
    text = told.as_json() if options.json else "\n".join(without_controls(line) for line in told.lines)
    sys.stdout.write(f"{text}\n")
    return FOUND if told.good else NOTHING
