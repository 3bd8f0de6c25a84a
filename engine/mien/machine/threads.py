"""Threads that wait for the world: begun here, so that a machine without room for one more is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from mien.errors import BackendError


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
