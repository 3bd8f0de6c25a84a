"""How a live run goes, on one line."""

from __future__ import annotations

from typing import TextIO

from mien.clock import Clock
from mien.commands.progress import ERASE_LINE, columns_of, tell
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.pipeline.reason import reason
from mien.stats import Statistics

_TERMINAL_INTERVAL, _PLAIN_INTERVAL = 0.25, 5.0


def describe(statistics: Statistics, fps: float, backend: str, state: str | None = None) -> str:
    """Frames per second, latency, level and what makes the pictures; then a state such as paused, or what is wrong."""
    assert statistics.live is not None
    latency = statistics.stage(CAPTURE_TO_EMIT).recent * 1e3
    parts = [f"{fps:4.1f} fps", f"{latency:3.0f} ms", statistics.live.level, backend]
    if statistics.frames_dropped:
        parts.append(f"{statistics.frames_dropped} dropped")
    return "  ".join([*parts, *(told for told in (state, reason(statistics)) if told)])


class StatusLine:
    """Writes `describe` to `out`, not oftener than the eye or a log needs."""

    def __init__(self, out: TextIO, statistics: Statistics, clock: Clock) -> None:
        self._out = out
        self._statistics = statistics
        self._clock = clock
        self._terminal = out.isatty()
        self.interval = _TERMINAL_INTERVAL if self._terminal else _PLAIN_INTERVAL
        """Seconds between two calls that make sense."""
        self._frames, self._at = statistics.frames_out, clock.now()

    def show(self, backend: str, state: str | None = None) -> None:
        """Tell how it goes, with the frames per second since the last call."""
        now, frames = self._clock.now(), self._statistics.frames_out
        fps = (frames - self._frames) / max(now - self._at, 1e-3)
        self._frames, self._at = frames, now
        text = describe(self._statistics, fps, backend, state)
        tell(self._out, f"{ERASE_LINE}{text[: columns_of(self._out)]}" if self._terminal else f"mien: {text}\n")

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self.clear()
        tell(self._out, f"mien: {line}\n")

    def clear(self) -> None:
        """Leave the terminal's line empty for what is said next."""
        if self._terminal:
            tell(self._out, ERASE_LINE)
