"""`mien verify`: what a file says of itself, in three lines."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from mien.errors import SettingError

if TYPE_CHECKING:
    from mien.verification import Verdict

FOUND, NOTHING = 0, 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is read, and how it is told."""
    parser.add_argument("source", metavar="FILE|URL|PICTURE", help="that may have been made with mien")
    parser.add_argument("--key", default="", metavar="WORDS", help="that the invisible mark was drawn with")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of three lines")


def run(options: argparse.Namespace) -> int:
    """Carry the command out: 0 where something was found and agrees, 1 where not.

    Raises:
        MienError: it cannot be read, in one line.
    """
    from mien.marking.pattern import KEY
    from mien.verification import verify

    if not options.source:
        raise SettingError("expected a file, an address or a picture to verify, got an empty name; name one")
    verdict = verify(options.source, key=options.key.encode() or KEY)
    told = json.dumps(as_json(verdict)) if options.json else "\n".join(lines(verdict))
    sys.stdout.write(f"{told}\n")
    return FOUND if verdict.found and verdict.agree else NOTHING


def lines(verdict: Verdict) -> tuple[str, str, str]:
    """Metadata, mark, and what follows from both."""
    said, mark = verdict.said, verdict.mark
    told = "none of mien"
    if said is not None:
        told = f'"synthetic media, made with mien {said.version}"'
        told += f", session {said.session}" if said.session else ""
    seen = f"none in {verdict.frames} frame{'' if verdict.frames == 1 else 's'}"
    if mark is not None:
        seen = f"session {mark.payload.name}; chance of a false alarm below {max(mark.false_alarm, 1e-30):.0e}"
    return f"metadata: {told}", f"invisible mark: {seen}", _verdict(verdict)


def as_json(verdict: Verdict) -> dict[str, object]:
    """The same for programs."""
    said, mark = verdict.said, verdict.mark
    return {
        "found": verdict.found,
        "agree": verdict.agree,
        "frames": verdict.frames,
        "metadata": None if said is None else {"version": said.version, "session": said.session},
        "invisible_mark": None
        if mark is None
        else {
            "session": mark.payload.name,
            "version": mark.payload.version,
            "false_alarm": mark.false_alarm,
            "bits_mended": mark.wrong,
            "standard_deviations": round(mark.sync, 2),
        },
    }


def _verdict(verdict: Verdict) -> str:
    if not verdict.found:
        return "nothing found, which proves nothing: marks can be taken away"
    if not verdict.agree:
        return "metadata and mark name different runs: one of them was changed"
    if verdict.mark is None:
        return "its metadata says that mien made it; anybody can write metadata"
    return "made with mien, or with its mark laid on it"
