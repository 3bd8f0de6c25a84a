"""Signals that end a command in order, with exit codes; ignored signals stay ignored."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, ModuleType
from typing import Final

INTERRUPT: Final = signal.SIGINT
_ENDINGS = "SIGTERM", "SIGHUP", "SIGXCPU", "SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGUSR1", "SIGUSR2"
ENDINGS: Final = tuple(getattr(signal, name) for name in _ENDINGS if hasattr(signal, name))
"""Beside an interrupt: those that end a program by themselves. A terminal that is closed sends SIGHUP, which `nohup`
has ignored; a limit of processor time sends SIGXCPU; job queues send SIGUSR1 or SIGUSR2."""
NAMES: Final = {INTERRUPT: "interrupted"} | {number: f"ended by {number.name}" for number in ENDINGS}


AGAIN: Final = 0.05
"""Seconds until a signal is tried again that came while a module was imported, where no other one is begun before."""


class EndedBySignal:
    """A handler of signals that raises KeyboardInterrupt; it remembers which signal came first.

    Not in the middle of a module that is imported: there libraries pass over it, or make an error of their own of it.
    It waits for the next module, as a finder of modules that finds none, or for the end of the import.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.leaving = False
        """Whether signals have no say any more: what is left is short, and must be done."""
        self.held = False
        """Whether they wait for `told_of_signals`."""
        self.told = False
        """Whether an event loop was told of one: what is left should wait for nobody."""
        self._again: threading.Timer | None = None
        """Tries a signal again that came while a module was imported."""

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        self.number = self.number or number
        if self.leaving or self.held:
            return
        if _importing(frame):
            self._again = threading.Timer(AGAIN, signal.pthread_kill, (threading.main_thread().ident, number))
            self._again.daemon = True
            self._again.start()
            return
        self._again = None
        raise KeyboardInterrupt(number)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Raise KeyboardInterrupt before a module is imported if a signal has come since the import began."""
        again = self._again
        if again is None or self.leaving or self.held or threading.current_thread() is not threading.main_thread():
            return
        if not may_end_import(name):  # it is tried again soon
            return
        again.cancel()
        self._again = None
        raise KeyboardInterrupt(self.number)

    def code(self, interrupt: KeyboardInterrupt) -> int:
        """The exit code for what was raised: 128 and the signal's number."""
        given = interrupt.args[0] if interrupt.args and isinstance(interrupt.args[0], int) else None
        return 128 + int(self.number or given or INTERRUPT)


_WHOLE: Final = "google"
"""A package that is imported to its end: native code, its own and MediaPipe's, imports its modules and prints what is
raised in them."""


def may_end_import(name: str) -> bool:
    """Whether an import may be ended before the module `name`, as seen from the thread that imports it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_WHOLE):
            return False
        frame = frame.f_back
    return not name.startswith(_WHOLE)


def check() -> None:
    """Raise KeyboardInterrupt if a signal has come and what it raised was lost, as in a destructor."""
    ended = _present()
    if ended is not None and ended.number is not None and not ended.leaving:
        raise KeyboardInterrupt(ended.number)


def is_ending() -> bool:
    """Whether a signal has ended the command in order: then what is left should not wait for others."""
    ended = _present()
    return ended is not None and ended.told


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Have signals wait while an event loop comes and goes, which breaks what is raised there.

    The loop is told of them by `told_of_signals`; what came too late for that is raised at the end.
    """
    ended = _present()
    if ended is not None:
        ended.held = True
    try:
        yield
    finally:
        if ended is not None:
            ended.held = False
    check()


@contextlib.contextmanager
def ending_by_signals() -> Iterator[EndedBySignal]:
    """Have an interrupt, SIGTERM and SIGHUP end a command in order, unless they are ignored or handled otherwise."""
    ended, before = EndedBySignal(), {}
    if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
        before = {number: signal.getsignal(number) for number in (INTERRUPT, *ENDINGS)}
    taken = [number for number in before if before[number] in (signal.SIG_DFL, signal.default_int_handler)]
    for number in taken:
        signal.signal(number, ended)
    sys.meta_path.insert(0, ended)
    _ended.append(ended)
    told, sys.unraisablehook = sys.unraisablehook, _without_interrupts(sys.unraisablehook)
    try:
        yield ended
    finally:
        sys.unraisablehook = told
        _ended.remove(ended)
        sys.meta_path.remove(ended)
        for number in taken:
            signal.signal(number, before[number])


def _without_interrupts(told: Callable[[sys.UnraisableHookArgs], object]) -> Callable[[sys.UnraisableHookArgs], object]:
    """A hook that says nothing of an interrupt in a destructor, where a second signal may come; `check` knows of it."""

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            told(lost)

    return hook


def _is_free(handler: object) -> bool:
    """Whether a signal is neither ignored nor somebody else's, such as a timer's."""
    return handler in (signal.SIG_DFL, signal.default_int_handler) or isinstance(handler, EndedBySignal)


def _present() -> EndedBySignal | None:
    """That of the command that runs."""
    return _ended[-1] if _ended else None


_ended: list[EndedBySignal] = []
"""Those of the commands that run, the innermost last; while an event loop is told of signals, no handler is one."""


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def told_of_signals(told: Callable[[int], None]) -> Iterator[None]:
    """Have the running event loop call `told` with each interrupt, SIGTERM and SIGHUP; handlers are as before after.

    SIGHUP and SIGTERM stay ignored where they are. An interrupt does not: a shell's script ignores it for whatever it
    starts in the background, and ends that by it all the same.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (INTERRUPT, *ENDINGS)}
    taken = [number for number in before if number == INTERRUPT or _is_free(before[number])]
    ended = _present()

    def heard(number: int) -> None:
        if ended is not None:
            ended.told = True
        told(number)

    for number in taken:
        loop.add_signal_handler(number, heard, number)
    if ended is not None and ended.number is not None:
        loop.call_soon(heard, ended.number)
        ended.number = None
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number] or signal.SIG_DFL)
