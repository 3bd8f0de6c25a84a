"""All of `mien verify`: what a file, a stream or a picture says of itself: signed, in its metadata, in its pixels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mien import capture
from mien.credentials.reading import Read as Credentials
from mien.credentials.reading import read
from mien.frame import Frame
from mien.marking.pattern import KEY
from mien.marking.reading import Found, Reader

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

Pixels = NDArray[np.uint8]

PIECE: Final = 250
"""Frames that are read together."""
PIECES: Final = 6
"""How many pieces of a video are looked at, until one says something."""
SURE: Final = 1e-6
"""Probability of a false alarm up to which a mark counts."""
_LOOKED_THROUGH: Final = 4 << 20
"""Bytes at each end of a file in which its words are sought: containers keep metadata at either."""
_WORDS: Final = re.compile(
    rb"synthetic media, made with mien ([\w.+ -]{1,40})(?:; ((?:mien_\w+=[0-9A-Za-z. _-]+(?:; )?)+))?"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What metadata says; anybody can write it, or take it away."""

    version: str
    """Of mien."""
    session: str | None
    """The run, in hexadecimal; None where it is not told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a file."""

    said: Said | None
    mark: Found | None
    frames: int
    """Frames that were looked at."""
    credentials: Credentials | None = None
    """What is signed; None: nothing."""

    @property
    def found(self) -> bool:
        """Whether anything says that mien made it."""
        signed = self.credentials is not None and self.credentials.run is not None
        return signed or self.said is not None or self.mark is not None

    @property
    def changed(self) -> bool:
        """Whether it was changed since it was signed."""
        return self.credentials is not None and bool(self.credentials.changed)

    @property
    def broken(self) -> bool:
        """Whether what is signed cannot be read."""
        return self.credentials is not None and self.credentials.broken

    @property
    def agree(self) -> bool:
        """Whether credentials, metadata and mark, as far as they are there, name the same run."""
        signed = None if self.credentials is None else self.credentials.session
        said = None if self.said is None else self.said.session
        marked = None if self.mark is None else self.mark.payload.name
        return len({one for one in (signed, said, marked) if one is not None}) < 2


def verify(
    source: str | os.PathLike[str],
    *,
    key: bytes = KEY,
    trusted: Sequence[Certificate] = (),
    pieces: int = PIECES,
) -> Verdict:
    """What a video, stream or picture says of itself.

    Args:
        source: see `mien.capture.open`.
        key: that the mark was drawn with.
        trusted: certificates of those whose signatures count as known, beside mien's own on this machine.
        pieces: how many pieces of a video are looked at for the mark.

    Raises:
        SourceError: it cannot be read.
    """
    path = Path(source)
    credentials = read(path, trusted) if path.is_file() else None
    mark, count = _mark_in(source, Reader(key), pieces)
    return Verdict(_said(path), mark, count, credentials)


def _mark_in(source: str | os.PathLike[str], reader: Reader, pieces: int) -> tuple[Found | None, int]:
    """The invisible mark, and how many frames were looked at."""
    mark, count = None, 0
    with capture.open(source) as opened:
        frames = (item for item in opened if isinstance(item, Frame))
        for _ in range(pieces):
            piece = Piece(islice(frames, PIECE))
            found = reader(piece)
            count += piece.count
            if found is not None and found.false_alarm <= SURE:
                mark = found
            if mark is not None or piece.count < PIECE:
                break
    return mark, count


class Piece:
    """Frames as they come, counted."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames, self.count = frames, 0

    def __iter__(self) -> Iterator[Pixels]:
        for frame in self._frames:
            self.count += 1
            yield frame.pixels


def _said(path: Path) -> Said | None:
    """What the words in a file say; None of what is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(_LOOKED_THROUGH)
        file.seek(max(path.stat().st_size - _LOOKED_THROUGH, 0))
        found = max(_WORDS.finditer(head + file.read()), key=lambda words: len(words[0]), default=None)
    if found is None:
        return None
    record = (part.split("=", 1) for part in (found[2] or b"").decode().split("; ") if "=" in part)
    return Said(found[1].decode().strip(), dict(record).get("mien_session"))
