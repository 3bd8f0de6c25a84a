"""The chain of stages for one portrait, which can be exchanged between two frames."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.frame import Frame
from mien.pipeline.controller import FULL
from mien.posed import PaintLevel
from mien.stats import Laps

MotionT = TypeVar("MotionT")
MotionT_contra = TypeVar("MotionT_contra", contravariant=True)


class Chain(Protocol[MotionT_contra]):
    """The synthesis of one portrait. Used by one thread."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its stages, in the order of processing."""
        ...

    @property
    def best(self) -> int:
        """Its best level, as an index of `mien.pipeline.controller.LEVELS`."""
        ...

    @property
    def about(self) -> str:
        """Description of the model and its runtime."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user, such as missing runtimes."""
        ...

    def __call__(self, motion: MotionT_contra | None, frame: Frame, level: PaintLevel, laps: Laps) -> NDArray[np.uint8]:
        """The output picture for `frame`: (H, W, 3 or 4), C-contiguous, not written to again.

        `laps` records the beginning and the end of each stage of `names`; a stage that does nothing may be omitted.
        """
        ...

    @property
    def close(self) -> Callable[[], None]:
        """Frees its resources; called once, when no frame is in it."""
        ...


def _nothing() -> None:
    pass


@dataclass(frozen=True, eq=False)
class SingleStage(Generic[MotionT]):
    """A chain with one stage, any function: for programs with a stage of their own, and for benches."""

    make: Callable[[MotionT | None, Frame, PaintLevel], NDArray[np.uint8]]
    best: int = FULL
    close: Callable[[], None] = _nothing
    about: str = "warp"
    notes: tuple[str, ...] = ()
    name: str = "reenact"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def __call__(self, motion: MotionT | None, frame: Frame, level: PaintLevel, laps: Laps) -> NDArray[np.uint8]:
        laps.begin()
        pixels = self.make(motion, frame, level)
        laps.lap(self.name)
        return pixels


class ChainPlace(Generic[MotionT]):
    """Holder of the present chain. One thread reads it; any thread may exchange it."""

    def __init__(self, chain: Chain[MotionT]) -> None:
        self._lock = Lock()
        self._chain = chain
        self._next: tuple[Chain[MotionT], Future[Chain[MotionT]]] | None = None
        self._ended = False

    def exchange(self, chain: Chain[MotionT]) -> Future[Chain[MotionT]]:
        """Let `chain` take effect with the next frame; the future gives the one that then is no longer used.

        Where a third one comes before that frame does, or after the end, that is `chain` itself.
        """
        future: Future[Chain[MotionT]] = Future()
        with self._lock:
            unused, self._next = self._next, (chain, future)
            if self._ended:
                unused, self._next = self._next, None
        if unused is not None:
            unused[1].set_result(unused[0])
        return future

    def take(self) -> Chain[MotionT]:
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
