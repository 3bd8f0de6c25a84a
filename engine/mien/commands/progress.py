"""Progress of a run: one updated line on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TextIO

from mien.clock import Clock
from mien.stats import Statistics

_BAR = 24
_TERMINAL_INTERVAL = 0.1
_PLAIN_INTERVAL = 5.0
_LEAST_BAR = 4
ERASE_LINE = "\r\x1b[2K"


def tell(out: TextIO | None, text: str) -> None:
    """Write `text` at once. Where nobody hears it any more, since the terminal was closed or the reader of a pipe has
    left, the work that is told of goes on."""
    if out is not None:
        with suppress(OSError, ValueError):
            out.write(text)
            out.flush()


def columns_of(out: TextIO) -> int:
    """How much of a line a terminal shows before it wraps, which could not be erased."""
    try:
        columns = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or shutil.get_terminal_size().columns) - 1


def describe(done: int, total: int | None, fps: float, columns: int = 1000) -> str:
    """One line: bar, frames, frames per second, time left; without bar and time where the total is unknown.

    Of what is more than `columns`, first the bar is shortened and left out.
    """
    if not total:
        return f"{done} frames  {fps:.1f} fps"[:columns]
    total = max(total, done)  # containers estimate
    left = f"  {_minutes((total - done) / fps)} left" if fps > 0 else ""
    words = f"{done}/{total} frames  {fps:.1f} fps{left}"
    length = min(_BAR, columns - len(words) - len("[] "))
    if length < _LEAST_BAR:
        return words[:columns]
    filled = length * done // total
    return f"[{'#' * filled}{'.' * (length - filled)}] {words}"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )


class ProgressLine:
    """Writes `describe` to `out` as frames come, not oftener than the eye or a log needs. Call with the statistics."""

    def __init__(self, out: TextIO | None, total: int | None, clock: Clock) -> None:
        self._out = out
        self._total = total
        self._clock = clock
        self._terminal = out is not None and out.isatty()
        self._interval = _TERMINAL_INTERVAL if self._terminal else _PLAIN_INTERVAL
        self._told_at = clock.now()

    def __call__(self, statistics: Statistics) -> None:
        now = self._clock.now()
        if now - self._told_at < self._interval:
            return
        self._told_at = now
        if self._out is not None and self._terminal:
            columns = columns_of(self._out)
            tell(self._out, ERASE_LINE + describe(statistics.frames_out, self._total, statistics.fps, columns))
        else:
            tell(self._out, f"mien: {describe(statistics.frames_out, self._total, statistics.fps)}\n")

    def clear(self) -> None:
        """Leave the terminal's line empty for what is said next."""
        if self._terminal:
            tell(self._out, ERASE_LINE)
