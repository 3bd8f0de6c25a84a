"""Ends a read of libav that waits for a network or a device, from another thread.

PyAV's interrupt callback knows nothing but a timeout, for which libav asks it every tenth of a second or more often:
`time.monotonic() > begun + timeout`, on the thread that reads. So that thread is shown times that are farther apart
than any timeout once it is to stop; all other threads are shown the true one. One time past every deadline would not
do: a step that begins then, of several that opening has, would take it for its beginning, and wait for ever.

This is the only file that touches PyAV beside its public interface: the name `time` in `av.container.core`, of which
PyAV takes `monotonic` and nothing else. It is replaced for the whole process when the first such read begins, and
refused where a version has no such name; a test ends a real read.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from threading import Event, get_ident
from typing import Any, Final

from mien.errors import BackendError

VERSION: Final = "18"
"""Of PyAV, with which this was tried."""
APART: Final = 1e9
"""Seconds between two times that a thread is shown that is to stop; timeouts are shorter."""
_stopping: dict[int, tuple[Event, float]] = {}
"""Threads inside of a libav read, with their interrupts and the times by which the read must have given something."""


class _Deadlines:
    """Replacement for the module `time` inside of PyAV, which only uses `monotonic`."""

    def __init__(self) -> None:
        self._steps = count(1)

    def monotonic(self) -> float:
        event, until = _stopping.get(get_ident(), (None, 0.0))
        now = time.monotonic()
        if event is None or not (event.is_set() or now > until):
            return now
        return now + APART * next(self._steps)


class Interrupt:
    """A flag that ends reads within about a tenth of a second; it stays set."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until it is set; whether it is."""
        return self._event.wait(seconds)

    @contextmanager
    def obeyed(self, within: float = math.inf) -> Iterator[None]:
        """What libav reads inside on this thread, with a timeout given to `av.open`, ends when this is set.

        It also ends after `within` seconds in all: libav's own timeout begins anew with each packet, wanted or not.
        """
        _install()
        thread = get_ident()
        before = _stopping.get(thread)
        _stopping[thread] = self._event, time.monotonic() + within
        try:
            yield
        finally:
            if before is None:
                del _stopping[thread]
            else:
                _stopping[thread] = before


def _install() -> None:
    """Put the clock in place; more than once is allowed.

    Raises:
        BackendError: this version of PyAV takes its time elsewhere.
    """
    core: Any = import_module("av.container.core")
    clock = getattr(core, "time", None)
    if isinstance(clock, _Deadlines):
        return
    if clock is not time:
        found = import_module("av").__version__
        raise BackendError(
            f"av {found}: expected its timeouts to be taken from the module time, as in {VERSION}, got another clock; "
            f"pip install 'av>={VERSION},<19'"
        )
    core.time = _Deadlines()
