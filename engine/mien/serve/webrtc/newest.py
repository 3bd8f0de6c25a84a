"""A hand-over from any thread to a task of the event loop: the newest wins."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Ended(Exception):
    """Nothing more will come."""


class Newest(Generic[T]):
    """Room for one value; whoever puts never waits, and wakes the loop once for however many values."""

    def __init__(self) -> None:
        """To be made on the loop that takes."""
        self._loop = asyncio.get_running_loop()
        self._held: deque[T] = deque(maxlen=1)
        self._waking = False
        self._closed = False
        self._there = asyncio.Event()
        self.dropped = 0
        """Values that a newer one replaced."""

    def put(self, value: T) -> None:
        """Hand over `value`, from any thread; dropped after `close`."""
        if self._closed:
            return
        self.dropped += len(self._held)
        self._held.append(value)
        self._wake()

    def close(self) -> None:
        """From any thread; closing twice is allowed."""
        self._closed = True
        self._held.clear()
        self._wake()

    async def take(self) -> T:
        """The newest value, waiting for one; each is taken once.

        Raises:
            Ended: after `close`.
        """
        while True:
            if self._closed:
                raise Ended
            if self._held:
                return self._held.popleft()
            self._there.clear()
            await self._there.wait()

    def _wake(self) -> None:
        if not self._waking:
            self._waking = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        self._waking = False
        self._there.set()
