"""What waits for a thread that writes: a little, and the newest."""

from __future__ import annotations

from collections import deque
from threading import Condition

from mien.frame import Frame
from mien.sound.sound import Sound

Item = Frame | Sound


class Outbox:
    """Frames and sound in order; what finds no room pushes the oldest of its kind out. `put` never waits."""

    def __init__(self, frames: int = 4, sounds: int = 100) -> None:
        """`frames`, `sounds`: how many of each may wait."""
        self._changed = Condition()
        self._items: deque[Item] = deque()
        self._most = {Frame: frames, Sound: sounds}
        self._closed = False
        self.dropped = 0
        """Frames that were pushed out."""

    def put(self, item: Item) -> None:
        """Append; dropped after `close`."""
        kind = type(item)
        with self._changed:
            if self._closed:
                return
            if sum(type(held) is kind for held in self._items) >= self._most[kind]:
                self._items.remove(next(held for held in self._items if type(held) is kind))
                self.dropped += kind is Frame
            self._items.append(item)
            self._changed.notify()

    def take(self) -> Item | None:
        """The oldest, waiting for one; None once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            return self._items.popleft() if self._items else None

    def close(self, *, empty: bool = False) -> None:
        """Take no more; `empty`: nor give what waits."""
        with self._changed:
            self._closed = True
            if empty:
                self._items.clear()
            self._changed.notify_all()
