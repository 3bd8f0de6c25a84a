from __future__ import annotations

import socket
import time
from threading import Event, Thread

import av
import av.container.core
import pytest

from mien.capture.interrupt import Interrupt
from mien.errors import BackendError

LONG = 60.0
"""Seconds of PyAV's own timeout, and of patience with it."""


def test_a_read_that_waits_for_a_sender_ends_when_it_is_set() -> None:
    """So it also tells of a version of PyAV that takes its deadlines from another clock."""
    interrupt, reading, ended = Interrupt(), Event(), Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def read() -> None:
            with interrupt.obeyed():
                reading.set()
                with pytest.raises(av.FFmpegError):
                    av.open(f"tcp://127.0.0.1:{port}", format="mpegts", timeout=(LONG, LONG))
            ended.set()

        thread = Thread(target=read)
        thread.start()
        connection, _ = silent.accept()  # from here on it waits for the first byte
        with connection:
            assert reading.is_set()
            assert not ended.is_set()
            interrupt.set()
            assert ended.wait(LONG / 2), "its own timeout would have been later"
        thread.join()


def test_other_threads_are_shown_the_true_time() -> None:
    interrupt = Interrupt()
    interrupt.set()
    with interrupt.obeyed():
        core = getattr(av.container.core, "time")  # noqa: B009 - which PyAV does not declare
        assert core.monotonic() == float("inf")
        seen: list[float] = []
        other = Thread(target=lambda: seen.append(core.monotonic()))
        other.start()
        other.join()
    assert seen[0] <= time.monotonic() < float("inf")
    assert core.monotonic() <= time.monotonic()


def test_a_version_that_has_another_clock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(av.container.core, "time")
    with pytest.raises(BackendError, match=r"av .*: expected its timeouts to be taken"), Interrupt().obeyed():
        pass
