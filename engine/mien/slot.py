"""The two hand-overs between worker threads: a slot that keeps only the newest, a channel that keeps all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The other side is done: nothing more will be taken, or nothing more will come."""


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """What went through a slot so far."""

    put: int
    taken: int
    dropped: int
    """Values that a newer one replaced before they were taken."""
    closed: bool


class Slot(Generic[T]):
    """Room for one value; the newest wins, so that a slow taker sees the present and never a backlog.

    Any number of threads may put and take. `put` never blocks.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._held: deque[T] = deque(maxlen=1)
        self._put = self._taken = self._dropped = 0
        self._closed = False

    def put(self, value: T) -> None:
        """Hand over `value` in place of the one that still lies there.

        Raises:
            Closed: after `close`.
        """
        with self._changed:
            if self._closed:
                raise Closed
            self._dropped += len(self._held)
            self._held.append(value)
            self._put += 1
            self._changed.notify()

    def take(self, timeout: float | None = None) -> T:
        """The newest value, waiting for one if need be; each value is taken once.

        Raises:
            Closed: closed and empty; a value put before `close` is still given.
            TimeoutError: nothing came within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held or self._closed, timeout):
                raise TimeoutError(f"nothing was put within {timeout} s")
            if not self._held:
                raise Closed
            self._taken += 1
            return self._held.popleft()

    def close(self) -> None:
        """Refuse further values and wake all who wait. Closing twice is allowed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def statistics(self) -> SlotStatistics:
        with self._changed:
            return SlotStatistics(self._put, self._taken, self._dropped, self._closed)


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What went through a channel so far."""

    capacity: int
    put: int
    taken: int
    held: int
    peak: int
    """The most that was ever held: `capacity` says that the taker was the slower side."""
    closed: bool
    cancelled: bool


class Channel(Generic[T]):
    """A bounded queue that loses nothing: a full one holds up who puts, an empty one who takes.

    Any number of threads may put and take. `close` ends it in order (what it holds is still taken); `cancel` ends it at
    once, from either side.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._changed = Condition()
        self._capacity = capacity
        self._held: deque[T] = deque()
        self._put = self._taken = self._peak = 0
        self._closed = self._cancelled = False

    def put(self, value: T) -> None:
        """Append `value`, waiting for room if need be.

        Raises:
            Closed: after `close` or `cancel`, also while waiting.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._held) < self._capacity or self._closed)
            if self._closed:
                raise Closed
            self._append(value)

    def offer(self, value: T) -> bool:
        """Append `value` if there is room; whether there was. Never blocks.

        Raises:
            Closed: after `close` or `cancel`.
        """
        with self._changed:
            if self._closed:
                raise Closed
            if len(self._held) >= self._capacity:
                return False
            self._append(value)
            return True

    def take(self) -> T:
        """The oldest value, waiting for one if need be.

        Raises:
            Closed: closed and empty, or cancelled.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._closed)
            if not self._held:
                raise Closed
            self._taken += 1
            value = self._held.popleft()
            self._changed.notify_all()
            return value

    def __iter__(self) -> Iterator[T]:
        """Take until closed and empty, or cancelled."""
        while True:
            try:
                value = self.take()
            except Closed:
                return
            yield value

    def close(self) -> None:
        """Nothing more will be put; what is held may still be taken. Closing twice is allowed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop what is held, refuse everything and wake all who wait."""
        with self._changed:
            self._closed = self._cancelled = True
            self._held.clear()
            self._changed.notify_all()

    def _append(self, value: T) -> None:
        self._held.append(value)
        self._put += 1
        self._peak = max(self._peak, len(self._held))
        self._changed.notify_all()

    def statistics(self) -> ChannelStatistics:
        with self._changed:
            return ChannelStatistics(
                self._capacity, self._put, self._taken, len(self._held), self._peak, self._closed, self._cancelled
            )
