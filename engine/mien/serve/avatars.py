"""Portraits of nobody on request: the maker is opened when the first one is asked for, and makes one at a time."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from mien.pipeline.worker import in_thread
from mien.serve import fields
from mien.serve.refusal import later

if TYPE_CHECKING:
    from mien.nobody.maker import Maker

THREADS: Final = 1
"""Of the maker: sessions that run beside it need theirs."""
WAITING: Final = 16
"""Requests that wait for the one that is worked on."""
SECONDS: Final = 3.0
"""Until one who found too many waiting may come again."""


class Avatars:
    """Lives on the event loop, whatever takes time beside it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._maker: Maker | None = None
        self._making = asyncio.Semaphore(1)
        self._waiting = 0

    async def made(self, wish: fields.Somebody) -> bytes:
        """A PNG of somebody who does not exist.

        Raises:
            Refusal: too many wait (503).
            MienError: the model is missing or cannot be used.
        """
        if self._waiting >= WAITING:
            raise later(503, f"avatars: expected at most {WAITING} that wait, got one more; come again", SECONDS)
        self._waiting += 1
        try:
            async with self._making:
                return await in_thread("mien-avatar", lambda: self._make(wish))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let go of the networks."""
        self._stack.close()
        self._maker = None

    def _make(self, wish: fields.Somebody) -> bytes:
        from mien.avatars import Order, encoded, portraits
        from mien.nobody.asking import Wish
        from mien.nobody.maker import open_maker

        if self._maker is None:
            self._maker = self._stack.enter_context(open_maker(THREADS))
        traits = {name: value for name in fields.TRAITS if (value := getattr(wish, name)) is not None}
        order = Order(int(wish.seed), Wish(**traits, glasses=wish.glasses), int(wish.size))
        return encoded(next(portraits(self._maker, order, THREADS)), "png", self._maker.about, order)
