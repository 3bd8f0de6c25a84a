"""Threads that wait for the world: begun here, so that a machine without room for one more is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from mien.errors import BackendError
from mien.machine.processor import usable_threads

_OWN: Final = 8
_A_PROCESSOR: Final = 4
_MOST: Final = 64
"""Threads of a run: those that wait, and those of runtimes and encoders. On 2 processors 18 were counted."""


def begun(name: str, work: Callable[[], None]) -> Thread:
    """A thread that runs `work`, and does not keep the program alive.

    Raises:
        BackendError: the system gives no more threads.
    """
    thread = Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, OSError, MemoryError) as error:
        raise BackendError(
            f"threads: expected to be allowed one more ({name}), got none ({error}); "
            "raise the limit of processes (ulimit -u), or of the container, or the memory"
        ) from error
    return thread


def need_room() -> None:
    """Refuse to begin where a run would not get its threads: libraries in C++ end the process, or wait for ever.

    Raises:
        BackendError: the system does not give as many as a run has.
    """
    over, tried = Event(), list[Thread]()
    try:
        for number in range(min(_OWN + _A_PROCESSOR * usable_threads(), _MOST)):
            tried.append(begun(f"mien-trial-{number}", _waiting_for(over)))
    finally:
        over.set()
        for thread in tried:
            thread.join()


def _waiting_for(over: Event) -> Callable[[], None]:
    def wait() -> None:
        over.wait()

    return wait
