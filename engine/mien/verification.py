"""All of `mien verify`: what a file, a stream or a picture says of itself, in its metadata and in its pixels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import capture
from mien.frame import Frame
from mien.marking.pattern import KEY
from mien.marking.reading import Found, Reader

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

    @property
    def found(self) -> bool:
        """Whether anything says that mien made it."""
        return self.said is not None or self.mark is not None

    @property
    def agree(self) -> bool:
        """Whether metadata and mark, where both are there, name the same run."""
        if self.said is None or self.said.session is None or self.mark is None:
            return True
        return self.said.session == self.mark.payload.name


def verify(source: str | os.PathLike[str], *, key: bytes = KEY) -> Verdict:
    """What a video, stream or picture says of itself.

    Args:
        source: see `mien.capture.open`.
        key: that the mark was drawn with.

    Raises:
        SourceError: it cannot be read.
    """
    reader, count = Reader(key), 0
    mark: Found | None = None
    with capture.open(source) as opened:
        frames = (item for item in opened if isinstance(item, Frame))
        for _ in range(PIECES):
            piece = Piece(islice(frames, PIECE))
            found = reader(piece)
            count += piece.count
            if found is not None and found.false_alarm <= SURE:
                mark = found
            if mark is not None or piece.count < PIECE:
                break
    return Verdict(_said(Path(source)), mark, count)


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
