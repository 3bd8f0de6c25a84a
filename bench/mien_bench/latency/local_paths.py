"""Paths on this machine: into memory, a file, offline; by a pipe, UDP or a virtual camera to a process that decodes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import numpy as np

import mien
from mien import emit
from mien.capture.source import Source
from mien.clock import Clock, MonotonicClock
from mien.emit.sink import Sink, SinkSettings
from mien.emit.strip import Carried
from mien.emit.virtual import virtual_cameras
from mien.errors import SinkError, SourceError
from mien.frame import Frame
from mien.live.session import LiveRequest, open_live
from mien.pipeline import Stages, render
from mien.pipeline.chain import SingleStage
from mien.pipeline.emitter import Slates
from mien.pipeline.live import LivePipeline
from mien.portrait.prepare import prepare
from mien.stages import open_stages
from mien.stats import LiveStatistics, Statistics
from mien_bench.latency import stream_watch
from mien_bench.latency.chirps import FORMAT
from mien_bench.latency.path_run import PATIENCE, CodedSource, NotAvailable, PathRun, PathSetup
from mien_bench.latency.programs import run_module, wait_for_end
from mien_bench.latency.sources import RATE
from mien_bench.latency.stream_watch import Noting, Watching, see
from mien_bench.latency.trace import Observed, Trace


def run_engine(setup: PathSetup, source: Source, sink: Sink, clock: Clock) -> dict[str, Any]:
    """Run until the source ends; the run's statistics as JSON.

    Args:
        clock: that stamped the source's frames.

    Raises:
        MienError: what the run ends with.
    """
    if setup.idle:
        return asyncio.run(_passed_through(source, sink, clock))
    return asyncio.run(_answered(setup, source, sink))


async def _answered(setup: PathSetup, source: Source, sink: Sink) -> dict[str, Any]:
    settings = replace(setup.settings, mark=False, measured=True)
    request = LiveRequest((str(setup.portrait),), source, sink, settings)
    async with open_live(request) as session:
        await session.run()
        return session.statistics.as_json()


async def _passed_through(source: Source, sink: Sink, clock: Clock) -> dict[str, Any]:
    chain: SingleStage[Frame] = SingleStage(lambda motion, frame, level: frame.pixels)
    black = np.zeros((source.info.height, source.info.width, 3), np.uint8)
    stages: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda face, seconds: face, chain)
    statistics = LiveStatistics(clock)
    with source:
        pipeline = LivePipeline(source, stages, sink, Slates(black, black), statistics=statistics, clock=clock)
        await pipeline.run()
    return statistics.as_json()


def through_memory(setup: PathSetup) -> PathRun:
    """No codec, no container: what capture, pipeline and engine take."""
    clock = MonotonicClock()
    rig = setup.rig(clock)
    sink = Watching(clock.now)
    statistics = run_engine(setup, rig.source, sink, clock)
    return PathRun(sink.trace.observed(), rig.stamped.sent, statistics, rig.held)


def through_file(setup: PathSetup) -> PathRun:
    """A live run that is recorded; a picture counts as seen when the encoder has taken it."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder) / "seen.mp4"
        rig = setup.rig(clock)
        sink = Noting(lambda frame: _video(path, frame, setup), clock.now)
        statistics = run_engine(setup, rig.source, sink, clock)
        trace = _read_back(path, clock, sink.taken)
    return PathRun(trace.observed(), rig.stamped.sent, statistics, rig.held)


def offline(setup: PathSetup) -> PathRun:
    """As `mien reenact` does it: as fast as it goes, and nothing may be lost. Its latencies say how long queues are."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder) / "seen.mp4"
        rig = setup.unpaced(clock)
        sink = Noting(lambda frame: _video(path, frame, setup), clock.now)
        with rig.source:
            statistics = _rendered(setup, rig.source, sink, clock)
        trace = _read_back(path, clock, sink.taken)
    return PathRun(trace.observed(), rig.stamped.sent, statistics, rig.held, lossless=True)


def _rendered(setup: PathSetup, source: Any, sink: Noting, clock: Clock) -> dict[str, Any]:
    statistics = Statistics(clock)
    if setup.idle:
        chain: SingleStage[Frame] = SingleStage(lambda motion, frame, level: frame.pixels)
        stages: Stages[Frame, Frame] = Stages(lambda frame: frame, lambda face, seconds: face, chain)
        with sink:
            render(source, stages, sink, statistics, clock)
        return statistics.as_json()
    portraits = prepare(str(setup.portrait), size=setup.settings.size)
    with Carried(sink) as carried, open_stages(portraits, source, setup.settings) as opened:
        render(source, opened, carried, statistics, clock)
    return statistics.as_json()


def _video(path: Path, frame: Frame, setup: PathSetup) -> Sink:
    width, height = frame.size
    settings = SinkSettings(width, height, RATE, frame.time_base, FORMAT if setup.sound else None)
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


def through_pipe(setup: PathSetup) -> PathRun:
    """MPEG-TS with H.264 through a named pipe, decoded by another process."""
    if not hasattr(os, "mkfifo"):
        raise NotAvailable("pipe: this system has no named pipes")
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        pipe = Path(folder) / "seen.ts"
        os.mkfifo(pipe)
        with _kept_open(pipe):
            return _watched(setup, str(pipe), str(pipe), ends=True)


def through_udp(setup: PathSetup) -> PathRun:
    """MPEG-TS with H.264 by UDP over loopback, decoded by another process."""
    address = f"udp://127.0.0.1:{_free_port()}"
    return _watched(setup, address, address, ends=False)


def through_virtual_camera(setup: PathSetup) -> PathRun:
    """A virtual camera, read by another process as a camera."""
    devices = virtual_cameras()
    if not devices:
        raise NotAvailable("virtual: no virtual camera here (Linux: modprobe v4l2loopback exclusive_caps=1)")
    return _watched(setup, f"virtual:{devices[0]}", devices[0], ends=False)


def _watched(setup: PathSetup, target: str, name: str, *, ends: bool) -> PathRun:
    """`ends`: whether the watcher detects the end of the stream itself."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        seen = Path(folder) / "seen.json"
        with run_module("mien_bench.latency.stream_watch", [name, str(seen)], stream_watch.BEGUN) as watcher:
            rig = setup.rig(clock, patience=PATIENCE)
            _let_run_once_seen(watcher, rig, setup.frames)
            sink = Noting(lambda frame: _stream(target, frame, setup), clock.now)
            statistics = run_engine(setup, rig.source, sink, clock)
            if not ends:
                watcher.send_signal(signal.SIGTERM)
            if wait_for_end(watcher) != 0 or not seen.exists():
                raise SourceError(f"{name}: expected to see the pictures that were sent, got none")
        observed = Observed.from_json(json.loads(seen.read_text()))
    return PathRun(observed, rig.stamped.sent, statistics, rig.held)


def _let_run_once_seen(watcher: subprocess.Popen[str], rig: CodedSource, frames: int) -> None:
    """Opening a stream takes its reader seconds; frames sent meanwhile do not count."""

    def listen() -> None:
        assert watcher.stdout is not None
        for line in watcher.stdout:
            if line.strip() == stream_watch.SEEN:
                rig.stamped.let_run(frames)
                return

    Thread(target=listen, name="bench-listen", daemon=True).start()


def _stream(target: str, frame: Frame, setup: PathSetup) -> Sink:
    width, height = frame.size
    settings = SinkSettings(width, height, RATE, frame.time_base, FORMAT if setup.sound else None)
    return emit.open(target, settings, mark=False, threads=1)


@contextlib.contextmanager
def _kept_open(pipe: Path) -> Iterator[None]:
    """Somebody reads, so that whoever writes may begin before the real reader has opened it."""
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(descriptor)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
