"""How much memory this process holds, and giving back what it no longer needs.

Connections of aiortc, and tracebacks, are rings of objects: encoders and threads that hang on them stay until Python
looks for rings, which by itself it does so seldom that tens of threads and a hundred megabytes pile up.
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
    """Have all threads that begin later take memory from the same few heaps; for a program, at its beginning.

    Else glibc gives eight heaps to each processor, and what a session's threads freed lies in pieces in all of them:
    over a hundred sessions a server grows by tens of megabytes that nobody holds.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, HEAPS)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Meanwhile all that there is now counts as what stays: looks for rings leave it out, and so take little.

    Else Python holds up every thread for tens of milliseconds now and then. For a program that is ready for its work;
    one at a time in a process.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def give_back() -> None:
    """Let go of rings, and return free memory to the system; takes some milliseconds, fewer while `settled`.

    The allocator of glibc keeps what the threads of a session freed: without this, memory rises by some megabytes with
    each of the first hundred sessions.
    """
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
