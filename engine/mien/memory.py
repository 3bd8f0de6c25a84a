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
from pathlib import Path


def memory() -> int:
    """Resident bytes; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def settle() -> None:
    """Take all that there is now for what stays: it is left out of every later look for rings, which so takes little.

    For programs, once they are ready; not for libraries, whose callers may want to be rid of something again.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Let go of rings, and return free memory to the system; takes some milliseconds, fewer after `settle`.

    The allocator of glibc keeps what the threads of a session freed: without this, memory rises by some megabytes with
    each of the first hundred sessions.
    """
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
