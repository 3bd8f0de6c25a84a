"""Graphs that are loaded once and run by many: each has arrays of its own, the weights are the same."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Protocol, runtime_checkable

from mien.manifest import Bundle
from mien.runtime.opening import open_session
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

    Runtimes that do not share (TensorRT here, whose engines were never run) load anew for each session.
    """

    def __init__(self, load: Callable[..., Session] = open_session) -> None:
        self._load = load
        self._lock = Lock()
        self._first: dict[Key, Session] = {}

    def session(
        self, bundle: Bundle, graph: str, backend: str = "auto", precision: str | None = None, threads: int = 1
    ) -> Session:
        """As `mien.runtime.opening.open_session`; whoever asks closes what is given.

        Raises:
            As that.
        """
        key = (str(bundle.folder), graph, backend, precision, threads)
        with self._lock:
            first = self._first.get(key)
            if first is None:
                loaded: Session = self._load(bundle, graph, backend, precision, threads)
                if not isinstance(loaded, Sharing):
                    return loaded
                first = self._first[key] = loaded
            assert isinstance(first, Sharing)
            return first.twin()

    def close(self) -> None:
        """Let go of the weights; sessions that still run keep theirs."""
        with self._lock:
            for session in self._first.values():
                session.close()
            self._first.clear()
