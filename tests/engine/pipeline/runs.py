"""Live runs of fakes, from their first frame to their last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from tests.engine.pipeline.fakes import SLATES, FedSource, NotingSink, stages, statistics

from mien.clock import Clock, ManualClock
from mien.emit.sink import Sink
from mien.frame import Frame
from mien.pipeline import Stages
from mien.pipeline.live import LivePipeline

PATIENCE = 10.0  # seconds until a hung thread fails the test; no passing test waits for it


def pipeline_of(
    source: FedSource,
    sink: Sink,
    given: Stages[Any, Any] | None = None,
    clock: Clock | None = None,
    **others: Any,
) -> LivePipeline[Any, Any]:
    made = statistics()
    return LivePipeline(
        source, given or stages(), sink, SLATES, statistics=made, clock=clock or ManualClock(), **others
    )


def run(pipeline: LivePipeline[Any, Any]) -> None:
    asyncio.run(asyncio.wait_for(pipeline.run(), PATIENCE))


class LockStep:
    """A sink's `on_write` that feeds the next frame when one was written, so that none is dropped."""

    def __init__(self, source: FedSource, items: Iterator[Any]) -> None:
        self._source = source
        self._items = items
        self.feed()

    def __call__(self, written: Frame) -> None:
        self.feed()

    def feed(self) -> None:
        for item in self._items:
            self._source.feed(item)
            if isinstance(item, Frame):
                return
        self._source.end()


def in_lock_step(*items: Any) -> tuple[FedSource, NotingSink]:
    source = FedSource()
    return source, NotingSink(LockStep(source, iter(items)))
