"""Writing to a descriptor whose reader may stall: a pipe, a socket, a terminal or a device.

A plain write waits for as long as the reader does, and a library in C that calls back into Python writes on after an
interrupt. Here the wait can be ended, and after it nothing is written any more.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import time
from threading import Lock
from typing import Final

AT_ONCE: Final = select.PIPE_BUF
"""Bytes of one write to a pipe or a terminal: a pipe with room at all takes so many without waiting."""


class Outlet:
    """A descriptor that is written to by one thread, and stopped by any.

    The descriptor keeps its mode, which other programs share: nothing is set to non-blocking.
    """

    def __init__(self, descriptor: int, *, patience: float | None = None) -> None:
        """Take a descriptor over; `close` closes it.

        Args:
            patience: seconds without progress after which the reader counts as stalled; None: no limit.
        """
        self._descriptor = descriptor
        self._patience = patience
        self._woken, self._waker = os.pipe()
        self._lock = Lock()
        self._stopped = False
        kind = os.fstat(descriptor).st_mode
        self._whole = stat.S_ISREG(kind)
        self._socket = socket.socket(fileno=os.dup(descriptor)) if stat.S_ISSOCK(kind) else None
        self._own = None if self._whole or self._socket is not None else _reopened(descriptor)

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it; how many bytes that are.

        Raises:
            OSError: it cannot be written, the reader has stalled, or it was stopped. So is every call after that.
        """
        left = memoryview(data)
        try:
            while left:
                self._wait()
                with contextlib.suppress(BlockingIOError):  # another writer was faster
                    left = left[self._put(left) :]
        except BaseException:
            self.stop()
            raise
        return len(data)

    def stop(self) -> None:
        """End a write that waits, and refuse all later ones; from any thread."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                os.close(self._waker)

    def close(self) -> None:
        """Give everything back, once nobody writes any more."""
        self.stop()
        os.close(self._woken)
        if self._socket is not None:
            self._socket.close()
        for descriptor in (self._own, self._descriptor):
            if descriptor is not None:
                os.close(descriptor)

    def _wait(self) -> None:
        """Until the descriptor takes something."""
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLOUT)
        waiting.register(self._woken, select.POLLIN)
        ready = dict(waiting.poll(None if self._patience is None else self._patience * 1e3))
        if self._stopped or self._woken in ready:
            raise OSError(errno.ECANCELED, "it was stopped")
        if not ready:
            raise TimeoutError(errno.ETIMEDOUT, "its reader takes nothing")

    def _put(self, data: memoryview) -> int:
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        part = data if self._whole else data[:AT_ONCE]
        return os.write(self._descriptor if self._own is None else self._own, part)


def opened_within(path: str | os.PathLike[str], patience: float | None) -> int:
    """A descriptor that writes into a pipe, whose reader is waited for; an interrupt ends the wait.

    Args:
        patience: seconds to wait; None: no limit.

    Raises:
        OSError: it cannot be opened, or nobody has come to read it.
    """
    if patience is None:
        return os.open(path, os.O_WRONLY)
    end = time.monotonic() + patience
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if time.monotonic() >= end:
                raise OSError(errno.ENXIO, "nobody reads the pipe", os.fspath(path)) from error
        time.sleep(_LOOK)


_LOOK: Final = 0.02
"""Seconds between two looks for a pipe's reader."""


def _reopened(descriptor: int) -> int | None:
    """The same pipe, terminal or device without waiting, by a descriptor of its own mode; None where there is none."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
    if not (stat.S_ISFIFO(os.fstat(descriptor).st_mode) or os.isatty(descriptor)):
        return None  # a device may do something when it is opened
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:  # another user's, nobody reads it, or not on this system
        return None
