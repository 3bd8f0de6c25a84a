"""Work that is given up before its end because nobody wants it any more: asked for on one thread, heeded on another."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock, get_ident
from types import ModuleType
from typing import Final, Protocol, TypeVar

from mien.errors import Stopped
from mien.machine.signals import is_ending, may_end_import
from mien.machine.threads import begun

LEFT: Final = 1.0
"""Seconds that a thread is given to heed a cancellation before it is left to end by itself."""


class Closing(Protocol):
    """What holds something until it is closed."""

    def close(self) -> None: ...


ClosingT = TypeVar("ClosingT", bound=Closing)


class Cancellation:
    """Asked for from any thread; it stays.

    What waits is ended by the calls that are made then; what computes asks `need_wanted` between its steps.
    """

    def __init__(self) -> None:
        self._cancelled = Event()
        self._lock = Lock()
        self._calls: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask for it; more than once is allowed."""
        with self._lock:
            self._cancelled.set()
            calls = [*self._calls]
        for call in calls:
            call()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def need_wanted(self) -> None:
        """Raise Stopped once it is cancelled."""
        if self._cancelled.is_set():
            raise Stopped("expected to go on, got a cancellation")

    @contextlib.contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Have `call`, which ends what waits inside, made when it is cancelled; now, if it is already."""
        with self._lock:
            self._calls.append(call)
            late = self._cancelled.is_set()
        try:
            if late:
                call()
            yield
        finally:
            with self._lock:
                self._calls.remove(call)


def waited_for(
    name: str, work: Callable[[Cancellation], ClosingT], cancellation: Cancellation | None = None
) -> ClosingT:
    """What `work` returns, made on a thread of its own, which this one waits for.

    A signal's handler raises on the main thread. Inside of a library in C that calls back into Python, what it raises
    is lost; here it ends the wait and cancels the work. A thread that does not heed that is left to end by itself:
    `work` closes what it made, and raises, if it is cancelled by then.

    Args:
        cancellation: ends the work, too; None: nothing else does.

    Raises:
        Whatever `work` raised, or what ended the wait.
    """
    made: Future[ClosingT] = Future()
    own = Cancellation()
    with (cancellation or Cancellation()).calling(own.cancel):
        thread = begun(name, partial(_make, work, own, made))
        try:
            return made.result()
        except BaseException:
            own.cancel()
            thread.join(LEFT)
            if made.done() and made.exception() is None:
                made.result().close()
            raise
        finally:
            del made  # an error would hold it, and be held by it


def _make(work: Callable[[Cancellation], ClosingT], own: Cancellation, made: Future[ClosingT]) -> None:
    try:
        made.set_result(work(own))
    except BaseException as error:
        made.set_exception(error)
        del made  # as above


class _Gate:
    """A finder that finds no module: an import of its thread ends at the next module that is not wanted any more."""

    def __init__(self, need_wanted: Callable[[], None]) -> None:
        self._thread = get_ident()
        self._need_wanted = need_wanted

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if get_ident() == self._thread and is_ending() and may_end_import(name):
            self._need_wanted()


@contextlib.contextmanager
def imports_ended_by(need_wanted: Callable[[], None]) -> Iterator[None]:
    """Have imports on this thread call `need_wanted` before each module, once a signal has ended the command.

    A package of hundreds of modules takes seconds. What is raised leaves it half imported: only a process that ends
    anyway can do with that.
    """
    gate = _Gate(need_wanted)
    sys.meta_path.insert(0, gate)
    try:
        yield
    finally:
        sys.meta_path.remove(gate)
