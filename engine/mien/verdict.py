"""What `mien verify` and the page tell: three lines and a JSON object, of a file or of the record of a call."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.credentials.reading import Read, Signer
from mien.credentials.record import read as read_record
from mien.marking.pattern import KEY
from mien.verification import PIECES, Verdict, verify

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_LEAST: Final = 1e-30
"""Smaller probabilities are not told apart."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known."""

    lines: tuple[str, str, str]
    """What is signed or said, what is in the pixels, and what follows."""
    good: bool
    """Whether something says that mien made it, and nothing contradicts."""
    values: dict[str, Any]
    """The same for programs."""

    def as_json(self) -> str:
        """The values and the lines, as JSON."""
        return json.dumps({"good": self.good, "lines": self.lines} | self.values)


def of_file(
    source: str | os.PathLike[str], key: bytes = KEY, trusted: Sequence[Certificate] = (), *, pieces: int = PIECES
) -> Told:
    """Of a video, stream or picture; arguments as `verify`.

    Raises:
        SourceError: it cannot be read.
    """
    verdict = verify(source, key=key or KEY, trusted=trusted, pieces=pieces)
    good = verdict.found and verdict.agree and not verdict.changed and not verdict.broken
    return Told((_signed(verdict), _marked(verdict), _verdict(verdict)), good, _values(verdict))


def of_record(path: Path, trusted: Sequence[Certificate] = ()) -> Told | None:
    """Of the record of a call; None where a file is none."""
    record = read_record(path, trusted) if path.suffix.lower() == ".json" else None
    if record is None:
        return None
    said, mark = record.said, record.said.get("invisible_mark")
    until = said.get("ended") or f"{said.get('told')}, when it was not over"
    first = f"record: session {said.get('session')} of mien {said.get('version')}, {said.get('began')} to {until}"
    second = f"invisible mark: session {mark} was laid on its pictures" if mark else "invisible mark: none was laid"
    third = f"unchanged since it was signed {_by(record.signer)}"
    if not record.intact:
        third = "CHANGED since it was signed, or signed with another key: do not rely on it"
    values = {"record": said, "intact": record.intact, "signer": _signer(record.signer)}
    return Told((first, second, third), record.intact, values)


def _signed(verdict: Verdict) -> str:
    """Credentials; without any, metadata."""
    read, said = verdict.credentials, verdict.said
    if read is not None:
        return f"content credentials: {_credentials(read)}"
    if said is None:
        return "metadata: none of mien"
    session = f", session {said.session}" if said.session else ""
    return f'metadata: "synthetic media, made with mien {said.version}"{session}'


def _credentials(read: Read) -> str:
    if read.broken:
        return "cannot be read: they are damaged, or the file is"
    if read.run is None:
        made = f"of {read.generator}" if read.changed else f"of {read.generator}, not of mien"
    else:
        session = "" if read.session is None else f", session {read.session}"
        made = f"made with {read.generator} ({read.run.get('command')}){session}"
    if read.changed:
        return f"{made}; CHANGED since it was signed ({', '.join(read.changed)})"
    return f"{made}; unchanged since it was signed {_by(read.signer)}"


def _by(signer: Signer) -> str:
    if signer.ours:
        return "by mien on this machine"
    if signer.expired:
        return f"by {signer.name!r}, whose certificate has expired"
    if signer.trusted:
        return f"by {signer.name!r}, whose issuer you trust"
    return f"by {signer.name!r}, whom nobody here vouches for"


def _marked(verdict: Verdict) -> str:
    mark = verdict.mark
    if mark is None:
        return f"invisible mark: none in {verdict.frames} frame{'' if verdict.frames == 1 else 's'}"
    chance = f"{max(mark.false_alarm, _LEAST):.0e}"
    return f"invisible mark: session {mark.payload.name}; chance of a false alarm below {chance}"


def _verdict(verdict: Verdict) -> str:
    if verdict.broken:
        return "its content credentials cannot be read: do not rely on what it says"
    if verdict.changed:
        return "changed since it was signed: do not rely on what it says"
    if not verdict.found:
        return "nothing found, which proves nothing: marks can be taken away"
    if not verdict.agree:
        return "its parts name different runs: one of them was changed"
    read = verdict.credentials
    if read is not None and read.run is not None:
        if read.signer.trusted:
            return "made with mien, as its signer says"
        return "its signer says that mien made it; anybody can make such a key"
    if verdict.mark is None:
        return "its metadata says that mien made it; anybody can write metadata"
    return "made with mien, or with its mark laid on it"


def _values(verdict: Verdict) -> dict[str, Any]:
    said, mark, read = verdict.said, verdict.mark, verdict.credentials
    return {
        "found": verdict.found,
        "agree": verdict.agree,
        "changed": verdict.changed,
        "broken": verdict.broken,
        "frames": verdict.frames,
        "content_credentials": None if read is None else _of_credentials(read),
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


def _of_credentials(read: Read) -> dict[str, Any]:
    return {
        "changed": list(read.changed),
        "generator": read.generator,
        "signer": _signer(read.signer),
        "session": read.session,
        "run": read.run,
        "consent": read.consent,
        "when": read.when,
    }


def _signer(signer: Signer) -> dict[str, Any]:
    return {"name": signer.name, "trusted": signer.trusted, "own": signer.ours, "expired": signer.expired}
