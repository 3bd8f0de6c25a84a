"""A source made of sources: a session's peers, of which each takes the place of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition
from types import TracebackType
from typing import Self

from mien.capture.source import Source, SourceInfo
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import Sound


class Succession:
    """Gives what the newest source gives, and waits for another one when that ends; read by one thread.

    All else may be called from any thread.
    """

    def __init__(self, first: Source) -> None:
        self._changed = Condition()
        self._source = first
        self._read: Source | None = None
        """The one that was read last."""
        self._closed = False
        self._broken = 0

    def follow(self, source: Source) -> None:
        """Let `source` take over; the one before is closed."""
        with self._changed:
            before, self._source = self._source, source
            self._broken += before.broken_frames
            closed = self._closed
            self._changed.notify_all()
        before.close()
        if closed:
            source.close()

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def broken_frames(self) -> int:
        return self._broken + self._source.broken_frames

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._source.warnings

    def __iter__(self) -> Iterator[Frame | Sound]:
        while (source := self._next()) is not None:
            yield from source

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError("peer: expected a source that can be looked through before, got a live one")

    def close(self) -> None:
        """End the iteration."""
        with self._changed:
            self._closed = True
            source = self._source
            self._changed.notify_all()
        source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> Source | None:
        """Another source than the one that was read last; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._source is not self._read)
            self._read = self._source
            return None if self._closed else self._source
