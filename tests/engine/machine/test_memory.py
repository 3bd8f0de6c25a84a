from __future__ import annotations

import gc
import mmap
import subprocess
import sys
import weakref

import pytest

from mien.machine.memory import HEAPS, give_back, memory, settled


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_a_process_holds_memory() -> None:
    before = memory()
    with mmap.mmap(-1, 50_000_000) as held:  # of the system: an allocator may have as much at hand
        held.write(b"x" * len(held))
        assert 40_000_000 < memory() - before < 130_000_000


SHARING = """
import ctypes, sys, threading
from mien.machine.memory import share_heaps
if sys.argv[1] == "shared":
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
begun = threading.Barrier(9)
def work():
    libc.malloc(ctypes.c_size_t(1000))
    begun.wait(20)
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
begun.wait(20)
[thread.join() for thread in threads]
sys.stdout.flush()
libc.malloc_stats()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other heaps")
def test_threads_share_heaps() -> None:
    """As glibc tells on standard error: a line `Arena N:` for each heap."""
    heaps = {}
    for kind in ("own", "shared"):
        done = subprocess.run([sys.executable, "-c", SHARING, kind], capture_output=True, text=True, check=True)
        heaps[kind] = done.stderr.count("Arena ")
    assert heaps["own"] > HEAPS
    assert heaps["shared"] == HEAPS


def test_what_is_there_is_left_out_of_looks_for_rings_meanwhile() -> None:
    ring = weakref.ref(Ring())
    with settled():
        assert gc.get_freeze_count() > 1000
        late = weakref.ref(Ring())
        gc.collect()
        assert late() is None
    assert gc.get_freeze_count() == 0
    assert ring() is None


def test_rings_are_let_go() -> None:
    gc.disable()
    try:
        ring = weakref.ref(Ring())
        assert ring() is not None
        give_back()
        assert ring() is None
    finally:
        gc.enable()
