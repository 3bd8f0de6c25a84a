"""Terminal of a live run: the status line, and single key presses without Enter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from mien.clock import Clock
from mien.commands.progress import ERASE_LINE, columns_of, tell
from mien.errors import without_controls
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien.pipeline.governor import reason
from mien.stats import LiveStatistics

_TERMINAL_INTERVAL, _PLAIN_INTERVAL = 0.25, 5.0
_LOOK: Final = 0.5
"""Seconds between two looks at whose the terminal is."""


@contextlib.contextmanager
def keys_told(told: Callable[[str], None]) -> Iterator[bool]:
    """Have the running event loop tell every key that is pressed; whether there is a terminal to press them on.

    The terminal is as before after leaving; where it was closed meanwhile, no key comes any more. In the background of
    a shell (Ctrl-Z and `bg`, or `&`) keys are the shell's until the program is brought back.
    """
    try:
        import termios  # noqa: F401 - not on every system
    except ImportError:
        yield False
        return
    terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if terminal is None:
        yield False
        return
    keys = _Keys(terminal, told)
    keys.look()
    try:
        yield keys.reading
    finally:
        keys.close()


class _Keys:
    """Reads single keys for as long as the terminal is this program's; used on one event loop.

    A program in the background that reads the terminal, or sets its mode, is stopped. Nothing tells it that it is
    there, nor that it was brought back, and then the terminal has the shell's mode. So it looks again and again.
    """

    def __init__(self, terminal: int, told: Callable[[str], None]) -> None:
        self._terminal, self._told = terminal, told
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._before: list[Any] = []
        """The terminal's mode that is to be restored."""
        self.reading = False

    def look(self) -> None:
        """Read if the terminal is this program's, else leave it alone; look again soon."""
        import termios

        self._timer = self._loop.call_later(_LOOK, self.look)
        if not _is_ours(self._terminal):
            self._leave()
            return
        try:
            self._read_single()
        except termios.error:  # closed
            self._end()

    def close(self) -> None:
        """Cease, and give the terminal its mode back if it is this program's."""
        import termios

        had = self.reading and _is_ours(self._terminal)
        self._end()
        if had:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)

    def _read_single(self) -> None:
        import termios
        import tty

        mode = termios.tcgetattr(self._terminal)
        if mode[tty.LFLAG] & termios.ICANON:
            self._before = mode
            tty.setcbreak(self._terminal)
        elif not self.reading:
            self._before = mode
        if not self.reading:
            self._loop.add_reader(self._terminal, self._read)
            self.reading = True

    def _read(self) -> None:
        if not _is_ours(self._terminal):
            self._leave()
            return
        try:
            pressed = os.read(self._terminal, 32)
        except OSError:
            pressed = b""
        if not pressed:  # closed, which it would be told of again and again
            self._end()
        for key in pressed.decode(errors="ignore"):
            self._told(key)

    def _leave(self) -> None:
        if self.reading:
            self._loop.remove_reader(self._terminal)
        self.reading = False

    def _end(self) -> None:
        self._leave()
        if self._timer is not None:
            self._timer.cancel()


def _is_ours(terminal: int) -> bool:
    """Whether this program may touch it: one in the background would be stopped for that."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the terminal that controls this program, which so is never stopped
        return True


def describe(statistics: LiveStatistics, fps: float, backend: str, state: str | None = None) -> str:
    """Frames per second, latency, level and what makes the pictures; then a state such as paused, or what is wrong."""
    latency = statistics.stage(CAPTURE_TO_EMIT).recent * 1e3
    parts = [f"{fps:4.1f} fps", f"{latency:3.0f} ms", statistics.live.level, backend]
    if statistics.frames_dropped:
        parts.append(f"{statistics.frames_dropped} dropped")
    return "  ".join([*parts, *(told for told in (state, reason(statistics)) if told)])


class StatusLine:
    """Writes `describe` to `out`, not oftener than the eye or a log needs."""

    def __init__(self, out: TextIO, statistics: LiveStatistics, clock: Clock) -> None:
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
        tell(self._out, f"mien: {without_controls(line)}\n")

    def clear(self) -> None:
        """Leave the terminal's line empty for what is said next."""
        if self._terminal:
            tell(self._out, ERASE_LINE)
