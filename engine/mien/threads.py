"""How many processors there are to share out."""

from __future__ import annotations

import os


def usable_threads() -> int:
    """Logical processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
