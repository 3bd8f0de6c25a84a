"""Graphs that are loaded once and run by many: each has arrays of its own, the weights are the same."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock
from typing import Protocol, runtime_checkable

from mien.errors import Stopped
from mien.manifest import Bundle
from mien.runtime.auto import CPU_BACKENDS
from mien.runtime.batching import Batcher
from mien.runtime.opening import ONCE, open_session
from mien.runtime.session import Session

Key = tuple[str, str, str, str | None, int]
"""Folder of the bundle, graph, backend, precision, threads."""


@runtime_checkable
class Sharing(Protocol):
    """A session whose runtime lets several run on one set of weights."""

    def twin(self) -> Session:
        """Another one on the same weights, with arrays of its own."""


class SharedGraphs:
    """Loads each graph once; for any thread. What it loaded stays loaded until `close`.

    On the processor each session runs by itself. On an accelerator, which takes one call at a time, generator calls
    that come together run as one batch; that was tried with the processor's runtimes in the accelerator's place only.
    """

    def __init__(self, load: Callable[..., Session] = open_session) -> None:
        self._load = load
        self._lock = Lock()
        self._stopped = Event()
        self._first: dict[Key, Session] = {}
        self._batchers: list[Batcher] = []
        self._bundles: dict[str, Bundle] = {}

    def bundle(self, name: str, read: Callable[[str], Bundle]) -> Bundle:
        """What `read` gives for a name, read and checked once.

        Raises:
            As `read`.
        """
        with self._lock:
            found = self._bundles.get(name)
            if found is None:
                found = self._bundles[name] = read(name)
            return found

    def session(
        self, bundle: Bundle, graph: str, backend: str = "auto", precision: str | None = None, threads: int = 1
    ) -> Session:
        """As `mien.runtime.opening.open_session`; whoever asks closes what is given.

        Raises:
            As that; Stopped after `stop`.
        """
        self.need_wanted()
        key = (str(bundle.folder), graph, backend, precision, threads)
        with self._lock:
            first = self._first.get(key)
            if first is None:
                loaded = self._loaded(bundle, graph, backend, precision, threads)
                if not isinstance(loaded, Sharing):
                    return loaded
                first = self._first[key] = loaded
            assert isinstance(first, Sharing)
            return first.twin()

    def stop(self) -> None:
        """Have whatever is being loaded, on any thread, end at its next step."""
        self._stopped.set()

    def need_wanted(self) -> None:
        """Raise Stopped after `stop`; for the steps of what takes long."""
        if self._stopped.is_set():
            raise Stopped("models: expected to be loaded, got the end of the program")

    def close(self) -> None:
        """Let go of the weights; sessions on the processor that still run keep theirs."""
        with self._lock:
            for session in self._first.values():
                session.close()
            self._first.clear()
            for batcher in self._batchers:
                batcher.close()
            self._batchers.clear()

    def _loaded(self, bundle: Bundle, graph: str, backend: str, precision: str | None, threads: int) -> Session:
        if graph == ONCE or backend in ("auto", *CPU_BACKENDS):
            return self._load(bundle, graph, backend, precision, threads)
        batcher = Batcher(lambda count: self._load(bundle, graph, backend, precision, threads, batch=count))
        self._batchers.append(batcher)
        return batcher.member()
