"""How far a run has come, on one line of a terminal or, elsewhere, on a line every few seconds."""

from __future__ import annotations

from typing import TextIO

from mien.clock import Clock
from mien.stats import Statistics

_BAR = 24
_TERMINAL_INTERVAL = 0.1
_PLAIN_INTERVAL = 5.0
_ERASE_LINE = "\r\x1b[2K"


def describe(done: int, total: int | None, fps: float) -> str:
    """One line: bar, frames, frames per second, time left; without bar and time where the total is unknown."""
    if not total:
        return f"{done} frames  {fps:.1f} fps"
    total = max(total, done)  # containers estimate
    filled = _BAR * done // total
    bar = "#" * filled + "." * (_BAR - filled)
    left = f"  {_minutes((total - done) / fps)} left" if fps > 0 else ""
    return f"[{bar}] {done}/{total} frames  {fps:.1f} fps{left}"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )


class ProgressLine:
    """Writes `describe` to `out` as frames come, not oftener than the eye or a log needs. Call with the statistics."""

    def __init__(self, out: TextIO, total: int | None, clock: Clock) -> None:
        self._out = out
        self._total = total
        self._clock = clock
        self._terminal = out.isatty()
        self._interval = _TERMINAL_INTERVAL if self._terminal else _PLAIN_INTERVAL
        self._told_at = clock.now()

    def __call__(self, statistics: Statistics) -> None:
        now = self._clock.now()
        if now - self._told_at < self._interval:
            return
        self._told_at = now
        text = describe(statistics.frames_out, self._total, statistics.fps)
        self._out.write(f"{_ERASE_LINE}{text}" if self._terminal else f"mien: {text}\n")
        self._out.flush()

    def clear(self) -> None:
        """Leave the terminal's line empty for what is said next."""
        if self._terminal:
            self._out.write(_ERASE_LINE)
            self._out.flush()
