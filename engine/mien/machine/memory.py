"""Resident memory of this process, and releasing memory that is no longer used.

aiortc's connections, and tracebacks, form reference cycles. Encoders and threads that they refer to live until the
garbage collector runs, which by default is so rare that tens of threads and a hundred megabytes accumulate.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEAPS: Final = 2
_ARENA_MAX: Final = -8
"""M_ARENA_MAX of mallopt(3)."""


def memory() -> int:
    """Resident bytes; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def share_heaps() -> None:
    """Limit the number of malloc arenas for threads that start later; for a program, at its beginning.

    By default glibc uses up to eight arenas per processor, and memory freed by a session's threads is scattered over
    them: over a hundred sessions a server grows by tens of megabytes that are not in use.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, HEAPS)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Context in which present objects are exempt from garbage collection (gc.freeze), so collections are short.

    Otherwise a full collection stops every thread for tens of milliseconds now and then. For a program that has
    finished starting; one at a time in a process.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def give_back() -> None:
    """Collect reference cycles and return free memory to the system; takes some milliseconds, fewer while `settled`.

    The allocator of glibc keeps what the threads of a session freed: without this, memory rises by some megabytes with
    each of the first hundred sessions.
    """
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
