"""Single keys of a terminal, without Enter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def keys_told(told: Callable[[str], None]) -> Iterator[bool]:
    """Have the running event loop tell every key that is pressed; whether there is a terminal to press them on.

    The terminal is as before after leaving; where it was closed meanwhile, no key comes any more.
    """
    try:
        import termios
        import tty
    except ImportError:  # not on this system
        yield False
        return
    terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if terminal is None or not _is_ours(terminal):
        yield False
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        try:
            pressed = os.read(terminal, 32)
        except OSError:
            pressed = b""
        if not pressed:  # closed, which it would be told of again and again
            loop.remove_reader(terminal)
        for key in pressed.decode(errors="ignore"):
            told(key)

    tty.setcbreak(terminal)
    loop.add_reader(terminal, read)
    try:
        yield True
    finally:
        loop.remove_reader(terminal)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _is_ours(terminal: int) -> bool:
    """Whether this program may touch it: one in the background would be stopped for that."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the terminal that controls this program, which so is never stopped
        return True
