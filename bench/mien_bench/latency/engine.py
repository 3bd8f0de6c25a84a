"""The engine between the two ends: a live session in measuring mode, or a pipeline that passes pictures through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np

from mien.capture.source import Source
from mien.clock import Clock
from mien.emit.sink import Sink
from mien.frame import Frame
from mien.live.session import LiveRequest, open_live
from mien.pipeline import Stages
from mien.pipeline.chain import SingleStage
from mien.pipeline.emitter import Slates
from mien.pipeline.live import LivePipeline
from mien.stats import LiveStatistics
from mien_bench.latency.wish import Wish


def answer(wish: Wish, source: Source, sink: Sink, clock: Clock) -> dict[str, Any]:
    """Run until the source ends; the run's statistics as JSON.

    Args:
        clock: that stamped the source's frames.

    Raises:
        MienError: what the run ends with.
    """
    if wish.idle:
        return asyncio.run(_passed_through(source, sink, clock))
    return asyncio.run(_answered(wish, source, sink))


async def _answered(wish: Wish, source: Source, sink: Sink) -> dict[str, Any]:
    settings = replace(wish.settings, mark=False, measured=True)
    request = LiveRequest((str(wish.portrait),), source, sink, settings)
    async with open_live(request) as session:
        await session.run()
        return session.statistics.as_json()


async def _passed_through(source: Source, sink: Sink, clock: Clock) -> dict[str, Any]:
    chain = SingleStage[Frame](lambda motion, frame, level: frame.pixels)
    black = np.zeros((source.info.height, source.info.width, 3), np.uint8)
    stages: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda face, seconds: face, chain)
    statistics = LiveStatistics(clock)
    with source:
        pipeline = LivePipeline(source, stages, sink, Slates(black, black), statistics=statistics, clock=clock)
        await pipeline.run()
    return statistics.as_json()
