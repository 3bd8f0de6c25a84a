"""Paths within this process: into memory, and into a file, live and offline."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mien
from mien import emit
from mien.clock import Clock, MonotonicClock
from mien.emit.sink import Sink, SinkSettings
from mien.emit.strip import Carried
from mien.errors import SinkError
from mien.frame import Frame
from mien.pipeline import Stages, render
from mien.pipeline.chain import SingleStage
from mien.portrait.prepare import prepare
from mien.stages import open_stages
from mien.stats import Statistics
from mien_bench.latency.bursts import FORMAT
from mien_bench.latency.engine import answer
from mien_bench.latency.passage import Passage
from mien_bench.latency.trace import Trace
from mien_bench.latency.watching import Noting, Watching, see
from mien_bench.latency.wish import Wish
from mien_bench.live.camera import RATE


def through_memory(wish: Wish) -> Passage:
    """No codec, no container: what capture, pipeline and engine take."""
    clock = MonotonicClock()
    rig = wish.rig(clock)
    sink = Watching(clock.now)
    told = answer(wish, rig.source, sink, clock)
    return Passage(sink.trace.sight(), rig.stamped.sent, told, rig.held)


def through_file(wish: Wish) -> Passage:
    """A live run that is recorded; a picture counts as seen when the encoder has taken it."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder) / "seen.mp4"
        rig = wish.rig(clock)
        sink = Noting(lambda frame: _video(path, frame, wish), clock.now)
        told = answer(wish, rig.source, sink, clock)
        trace = _read_back(path, clock, sink.taken)
    return Passage(trace.sight(), rig.stamped.sent, told, rig.held)


def offline(wish: Wish) -> Passage:
    """As `mien reenact` does it: as fast as it goes, and nothing may be lost. Its latencies say how long queues are."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder) / "seen.mp4"
        rig = wish.unpaced(clock)
        sink = Noting(lambda frame: _video(path, frame, wish), clock.now)
        with rig.source:
            told = _rendered(wish, rig.source, sink, clock)
        trace = _read_back(path, clock, sink.taken)
    return Passage(trace.sight(), rig.stamped.sent, told, rig.held, lossless=True)


def _rendered(wish: Wish, source: Any, sink: Noting, clock: Clock) -> dict[str, Any]:
    statistics = Statistics(clock)
    if wish.idle:
        chain = SingleStage[Frame](lambda motion, frame, level: frame.pixels)
        stages: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda face, seconds: face, chain)
        with sink:
            render(source, stages, sink, statistics, clock)
        return statistics.as_json()
    portraits = prepare(str(wish.portrait), size=wish.settings.size)
    with Carried(sink) as carried, open_stages(portraits, source, wish.settings) as opened:
        render(source, opened, carried, statistics, clock)
    return statistics.as_json()


def _video(path: Path, frame: Frame, wish: Wish) -> Sink:
    width, height = frame.size
    settings = SinkSettings(width, height, RATE, frame.time_base, FORMAT if wish.sound else None)
    return emit.open(path, settings, mark=False, threads=1)


def _read_back(path: Path, clock: Clock, taken: list[float]) -> Trace:
    """Every picture of the file, as of when it was taken.

    Raises:
        SinkError: the file has not as many pictures as it took, so that which is which is not known.
    """
    trace, count = Trace(), 0
    with mien.capture.open(path) as source:
        for item in source:
            if isinstance(item, Frame):
                see(trace, item, taken[min(count, len(taken) - 1)], clock.now)
                count += 1
            else:
                trace.hear(item.samples[0], item.seconds)
    if count != len(taken):
        raise SinkError(f"{path.name}: expected the {len(taken)} frames that were written, got {count}")
    return trace
