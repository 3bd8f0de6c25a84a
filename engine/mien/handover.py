"""Hand-overs of values between threads, or to the event loop, all with the same statistics.

Slot        thread to thread   latest-value mailbox: room for one, the newest wins, `put` never waits
LoopSlot    thread to loop     the same, taken by a task of the event loop
DropQueue   thread to thread   bounded queue that drops the oldest of a full kind, `put` never waits
Channel     thread to thread   bounded queue that loses nothing, `put` waits for room (back-pressure)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The other side is done: nothing more will be taken, or nothing more will come."""


@dataclass(frozen=True, slots=True)
class HandOverStatistics:
    """What went through a hand-over so far, whatever its kind."""

    capacity: int
    put: int
    taken: int
    dropped: int
    """Values that were put and can be taken no more: newer ones needed their room, or all was dropped at the end."""
    held: int
    peak: int
    """The most that was ever held: `capacity` says that the taker was the slower side."""
    closed: bool
    cancelled: bool = False
    """Whether it was closed at once, with what it held."""


class Slot(Generic[T]):
    """A latest-value mailbox: room for one, the newest wins, so that a slow taker sees the present, never a backlog.

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

    def statistics(self) -> HandOverStatistics:
        """What went through it so far."""
        with self._changed:
            held, peak = len(self._held), min(self._put, 1)
            return HandOverStatistics(1, self._put, self._taken, self._dropped, held, peak, self._closed)


class LoopSlot(Generic[T]):
    """A latest-value mailbox from any thread to a task of the event loop on which it is made.

    `put` never waits, and wakes the loop once for however many values.
    """

    def __init__(self) -> None:
        """To be made on the loop that takes."""
        self._loop = asyncio.get_running_loop()
        self._lock = Lock()
        self._held: deque[T] = deque(maxlen=1)
        self._waking = False
        self._closed = False
        self._there = asyncio.Event()
        self._put = self._taken = self._dropped = 0

    def put(self, value: T) -> None:
        """Hand over `value`, from any thread; ignored after `close`."""
        with self._lock:
            if self._closed:
                return
            self._dropped += len(self._held)
            self._held.append(value)
            self._put += 1
        self._wake()

    def close(self) -> None:
        """Drop what is held and end, from any thread; closing twice is allowed."""
        with self._lock:
            self._closed = True
            self._dropped += len(self._held)
            self._held.clear()
        self._wake()

    async def take(self) -> T:
        """The newest value, waiting for one; each is taken once.

        Raises:
            Closed: after `close`.
        """
        while True:
            with self._lock:
                if self._closed:
                    raise Closed
                if self._held:
                    self._taken += 1
                    return self._held.popleft()
                self._there.clear()
            await self._there.wait()

    def statistics(self) -> HandOverStatistics:
        """What went through it so far."""
        with self._lock:
            held, peak = len(self._held), min(self._put, 1)
            return HandOverStatistics(1, self._put, self._taken, self._dropped, held, peak, self._closed)

    def _wake(self) -> None:
        if not self._waking:
            self._waking = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        self._waking = False
        self._there.set()


class DropQueue(Generic[T]):
    """A bounded queue by kinds, in the order of putting; what finds no room pushes the oldest of its kind out.

    Any number of threads may put and take. Nothing that is put ever waits.
    """

    def __init__(self, room: Mapping[Hashable, int], kind: Callable[[T], Hashable]) -> None:
        """`room`: how many values of each kind may wait; `kind` tells a value's."""
        self._changed = Condition()
        self._room = dict(room)
        self._kind = kind
        self._held: deque[T] = deque()
        self._count = dict.fromkeys(room, 0)
        """Of what is held, by kind."""
        self._drops = dict.fromkeys(room, 0)
        self._put = self._taken = self._peak = 0
        self._closed = False

    def put(self, value: T) -> None:
        """Append `value`, in place of the oldest of its kind where that is full; ignored after `close`."""
        kind = self._kind(value)
        with self._changed:
            if self._closed:
                return
            if self._count[kind] >= self._room[kind]:
                self._held.remove(next(held for held in self._held if self._kind(held) is kind))
                self._drops[kind] += 1
                self._count[kind] -= 1
            self._append(value, kind)

    def offer(self, value: T) -> bool:
        """Append `value` if its kind has room; whether it had. Ignored after `close`."""
        kind = self._kind(value)
        with self._changed:
            if self._closed or self._count[kind] >= self._room[kind]:
                return False
            self._append(value, kind)
            return True

    def drop(self, kind: Hashable) -> None:
        """Push all of a kind out."""
        with self._changed:
            self._held = deque(held for held in self._held if self._kind(held) is not kind)
            self._drops[kind] += self._count[kind]
            self._count[kind] = 0

    def is_full(self, kind: Hashable) -> bool:
        """Whether the next one of this kind finds no room."""
        with self._changed:
            return self._count[kind] >= self._room[kind]

    def take(self) -> T:
        """The oldest value, waiting for one.

        Raises:
            Closed: closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._closed)
            if not self._held:
                raise Closed
            self._taken += 1
            value = self._held.popleft()
            self._count[self._kind(value)] -= 1
            return value

    def __iter__(self) -> Iterator[T]:
        """Take until closed and empty."""
        while True:
            try:
                value = self.take()
            except Closed:
                return
            yield value

    def close(self, *, empty: bool = False) -> None:
        """Take no more; `empty`: nor give what waits. Closing twice is allowed."""
        with self._changed:
            self._closed = True
            if empty:
                self._held.clear()
                self._count = dict.fromkeys(self._count, 0)
            self._changed.notify_all()

    def dropped(self, kind: Hashable) -> int:
        """How many of a kind were pushed out."""
        with self._changed:
            return self._drops[kind]

    def statistics(self) -> HandOverStatistics:
        """What went through it so far."""
        with self._changed:
            dropped, room = sum(self._drops.values()), sum(self._room.values())
            held = len(self._held)
            return HandOverStatistics(room, self._put, self._taken, dropped, held, self._peak, self._closed)

    def _append(self, value: T, kind: Hashable) -> None:
        self._held.append(value)
        self._count[kind] += 1
        self._put += 1
        self._peak = max(self._peak, len(self._held))
        self._changed.notify()


class Channel(Generic[T]):
    """A bounded queue with back-pressure, which loses nothing: a full one holds up who puts, an empty one who takes.

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

    def statistics(self) -> HandOverStatistics:
        """What went through it so far."""
        with self._changed:
            lost = self._put - self._taken - len(self._held)
            return HandOverStatistics(
                self._capacity,
                self._put,
                self._taken,
                lost,
                len(self._held),
                self._peak,
                self._closed,
                self._cancelled,
            )
