"""What holds for all tests."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Iterator

import pytest

from mien.machine.processor import spare_processors

spare_processors()  # as mien's programs do, before anything imports NumPy


class _Stack(ctypes.Structure):
    """stack_t of sigaltstack(2)."""

    _fields_ = (("place", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


_DISABLED = 2


@pytest.fixture
def one_stack() -> None:
    """Have signals handled on the thread's own stack.

    pytest's faulthandler gives the main thread another one, on the heap, and in a long run of these tests the system
    came to be unable to deliver a signal there: it ended the process (SIGSEGV).
    """
    ctypes.CDLL(None).sigaltstack(ctypes.byref(_Stack(None, _DISABLED, 0)), None)


@pytest.fixture(scope="session", autouse=True)
def _signals_end() -> Iterator[None]:
    """As in a terminal: under nohup SIGHUP is ignored, in the background SIGINT, by programs that tests start, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL), signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGHUP, before[0])
    signal.signal(signal.SIGINT, before[1])
