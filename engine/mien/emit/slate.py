"""The slate: a plain picture with a line of text, shown when there is no picture."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.emit import lettering
from mien.emit.lettering import GLYPHS
from mien.emit.mark import Mark

PANIC: Final = ("one moment", "the picture is paused")
STALLED: Final = ("no picture", "waiting for the source")
"""Title and line for a user who hid the picture, and for a source that gives none."""
_GROUND: Final = (24, 27, 33)
_INK: Final = (232, 234, 238)
_FAINT: Final = (140, 147, 158)
_TITLE, _LINE = 0.11, 0.05
"""Letter heights as shares of the shorter side."""
_WIDEST: Final = 0.84
"""Share of the width that a line of text may take."""
_LEADING: Final = 1.9
"""From one base line to the next, in letter heights of the lower one."""


def slate(width: int, height: int, title: str, *lines: str, mark: bool = False) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: `title` large in the middle, `lines` small below it, both in lower case.

    Letters that the font lacks are left out. `mark` adds the mark "synthetic" to a slate that goes where nothing else
    draws it.
    """
    out = np.full((height, width, 3), _GROUND, np.uint8)
    side = min(width, height)
    rows = [(_known(title), _fitted(title, _TITLE * side, width), _INK)]
    rows += [(_known(line), _fitted(line, _LINE * side, width), _FAINT) for line in lines]
    below = lettering.DESCENT * rows[0][1]
    base = height / 2 + (rows[0][1] - sum((_LEADING * size for _, size, _ in rows[1:]), below)) / 2
    for number, (text, size, colour) in enumerate(rows):
        base += _LEADING * size + (below if number == 1 else 0.0) if number else 0.0
        _write(out, text, size, base, colour)
    if mark:
        Mark(width, height).apply(out)
    return out


def _known(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter in GLYPHS)


def _fitted(text: str, size: float, width: int) -> float:
    """The letter height, smaller where the line would be too wide."""
    return min(size, _WIDEST * width / max(lettering.width_of(_known(text)), 1.0))


def _write(out: NDArray[np.uint8], text: str, size: float, base: float, colour: tuple[int, int, int]) -> None:
    """Text in the middle of the line at `base`."""
    height, width, _ = out.shape
    top, bottom = max(round(base - 1.2 * size), 0), min(round(base + 0.5 * size), height)
    if top >= bottom or not text:
        return
    left = (width - lettering.width_of(text) * size) / 2
    ink = lettering.coverage(text, size, width, bottom - top, left, base - top)[..., None]
    band = out[top:bottom]
    band[...] = np.rint(band + (np.array(colour, np.float32) - band) * ink).astype(np.uint8)
