"""Signals that end a program: in order, as an interrupt does, and told by the exit code. Ignored ones stay ignored."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

INTERRUPT: Final = signal.SIGINT
ENDINGS: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Beside an interrupt; a terminal that is closed sends SIGHUP, which `nohup` has ignored."""
NAMES: Final = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM"} | {
    number: "ended by SIGHUP" for number in ENDINGS if number != signal.SIGTERM
}


class Ended:
    """Which signal came first; a handler of signals that raises KeyboardInterrupt, as an interrupt does."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.leaving = False
        """Whether signals have no say any more: what is left is short, and must be done."""

    def __call__(self, number: int, frame: Any = None) -> None:
        self.number = self.number or number
        if not self.leaving:
            raise KeyboardInterrupt(number)

    def check(self) -> None:
        """Raise KeyboardInterrupt once a signal has come: one that is raised inside of a library may get lost there."""
        if self.number is not None and not self.leaving:
            raise KeyboardInterrupt(self.number)

    def code(self, interrupt: KeyboardInterrupt) -> int:
        """The exit code for what was raised: 128 and the signal's number."""
        given = interrupt.args[0] if interrupt.args and isinstance(interrupt.args[0], int) else None
        return 128 + int(self.number or given or INTERRUPT)


@contextlib.contextmanager
def ending_by_signals() -> Iterator[Ended]:
    """Have SIGTERM and SIGHUP end a command as an interrupt does, unless they are ignored or handled otherwise."""
    ended, taken = Ended(), []
    if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
        taken = [number for number in ENDINGS if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, ended)
    try:
        yield ended
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def told_of_signals(told: Callable[[int], None]) -> Iterator[None]:
    """Have the running event loop call `told` with each interrupt, SIGTERM and SIGHUP; handlers are as before after.

    SIGHUP and SIGTERM stay ignored where they are. An interrupt does not: a shell's script ignores it for whatever it
    starts in the background, and ends that by it all the same.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (INTERRUPT, *ENDINGS)}
    taken = [number for number in before if number == INTERRUPT or before[number] is not signal.SIG_IGN]
    for number in taken:
        loop.add_signal_handler(number, told, number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number] or signal.SIG_DFL)
