from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
from collections.abc import Callable, Iterator
from threading import Thread, Timer

import pytest

from mien.machine.outlet import Outlet

LIMIT = 10.0


def _pipe() -> tuple[int, int]:
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    return out, into


def _sockets() -> tuple[int, int]:
    one, other = socket.socketpair()
    return one.detach(), other.detach()


def _terminal() -> tuple[int, int]:
    return pty.openpty()


KINDS = [_pipe, _sockets, _terminal]
MUCH = bytes(1 << 22)


@pytest.fixture(params=KINDS, ids=["pipe", "socket", "terminal"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """What is read, and what is written to; the first is closed after."""
    made: Callable[[], tuple[int, int]] = request.param
    out, into = made()
    yield out, into
    os.close(out)


def test_all_of_it_arrives(ends: tuple[int, int]) -> None:
    out, into = ends
    outlet, data = Outlet(into), bytes(range(33, 126)) * 3000
    got = bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(os.read(out, 1 << 16))

    reader = Thread(target=read)
    reader.start()
    assert outlet.write(data) == len(data)
    reader.join(LIMIT)
    outlet.close()
    assert got == data


def test_stopping_ends_a_write_that_waits_and_all_later_ones(ends: tuple[int, int]) -> None:
    outlet = Outlet(ends[1])
    Timer(0.05, outlet.stop).start()
    for _ in range(2):
        with pytest.raises(OSError, match="it was stopped"):
            outlet.write(MUCH)
    outlet.close()


def test_a_reader_that_takes_nothing_for_long_is_told(ends: tuple[int, int]) -> None:
    outlet = Outlet(ends[1], patience=0.05)
    with pytest.raises(TimeoutError):
        outlet.write(MUCH)
    outlet.close()


def test_after_an_interrupt_nothing_is_written_any_more(ends: tuple[int, int], one_stack: None) -> None:
    outlet = Outlet(ends[1])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            outlet.write(MUCH)
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(OSError, match="it was stopped"):
        outlet.write(b"more")
    outlet.close()


def test_a_descriptor_keeps_its_mode() -> None:
    out, into = _pipe()
    shared = os.dup(into)
    outlet = Outlet(into, patience=0.01)
    with pytest.raises(TimeoutError):
        outlet.write(MUCH)
    assert os.get_blocking(shared)
    outlet.close()
    os.close(shared)
    os.close(out)


def test_a_reader_that_has_gone_is_an_error() -> None:
    out, into = _pipe()
    os.close(out)
    outlet = Outlet(into)
    with pytest.raises(BrokenPipeError):
        outlet.write(b"data")
    outlet.close()
