"""What makes pictures of one portrait, in one piece, so that it can be exchanged between two frames."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any

from mien.pipeline.controller import FULL


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The synthesis of one portrait."""

    synthesis: tuple[tuple[str, Callable[..., Any]], ...]
    """Named callables: the first is given (MotionT | None, Frame, Paint), each other what the one before returned, and
    the last returns (H, W, 3 or 4) uint8 pixels, C-contiguous, that it will not write to again."""
    best: int = FULL
    """The best level that it has, as an index of `mien.pipeline.controller.LEVELS`."""
    close: Callable[[], None] = _nothing
    """Gives back what it holds; called once, when no frame is in it."""
    about: str = "warp"
    """What makes the pictures, and which runtime runs it."""
    notes: tuple[str, ...] = ()
    """What a user should know of that: runtimes that are missing."""


class ChainPlace:
    """Where the present chain lies. One thread takes it; any may put another one in its place."""

    def __init__(self, chain: Chain) -> None:
        self._lock = Lock()
        self._chain = chain
        self._next: tuple[Chain, Future[Chain]] | None = None
        self._ended = False

    def exchange(self, chain: Chain) -> Future[Chain]:
        """Let `chain` take effect with the next frame; the future gives the one that then is no longer used.

        Where a third one comes before that frame does, or after the end, that is `chain` itself.
        """
        future: Future[Chain] = Future()
        with self._lock:
            unused, self._next = self._next, (chain, future)
            if self._ended:
                unused, self._next = self._next, None
        if unused is not None:
            unused[1].set_result(unused[0])
        return future

    def take(self) -> Chain:
        """The chain for the next frame."""
        with self._lock:
            taken, self._next = self._next, None
            before = self._chain
            if taken is not None:
                self._chain = taken[0]
        if taken is not None:
            taken[1].set_result(before)
        return self._chain

    def end(self) -> None:
        """Close what lies here, and refuse what comes: it is given back at once. Frames must have stopped."""
        with self._lock:
            self._ended = True
            unused, self._next = self._next, None
        if unused is not None:
            unused[1].set_result(unused[0])
        self._chain.close()
