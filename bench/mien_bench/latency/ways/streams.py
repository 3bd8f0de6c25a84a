"""Paths to another process of this machine, which decodes: a named pipe, UDP, a virtual camera."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from mien import emit
from mien.clock import MonotonicClock
from mien.emit.sink import Sink, SinkSettings
from mien.emit.virtual import virtual_cameras
from mien.errors import SourceError
from mien.frame import Frame
from mien_bench.latency import watch
from mien_bench.latency.bursts import FORMAT
from mien_bench.latency.engine import answer
from mien_bench.latency.passage import NotHere, Passage
from mien_bench.latency.process import ended, module
from mien_bench.latency.trace import Sight
from mien_bench.latency.watching import Noting
from mien_bench.latency.wish import PATIENCE, Rig, Wish
from mien_bench.live.camera import RATE


def through_pipe(wish: Wish) -> Passage:
    """MPEG-TS with H.264 through a named pipe, decoded by another process."""
    if not hasattr(os, "mkfifo"):
        raise NotHere("pipe: this system has no named pipes")
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        pipe = Path(folder) / "seen.ts"
        os.mkfifo(pipe)
        with _kept_open(pipe):
            return _watched(wish, str(pipe), str(pipe), ends=True)


def through_udp(wish: Wish) -> Passage:
    """MPEG-TS with H.264 by UDP over loopback, decoded by another process."""
    address = f"udp://127.0.0.1:{_free_port()}"
    return _watched(wish, address, address, ends=False)


def through_virtual_camera(wish: Wish) -> Passage:
    """A virtual camera, read by another process as a camera."""
    devices = virtual_cameras()
    if not devices:
        raise NotHere("virtual: no virtual camera here (Linux: modprobe v4l2loopback exclusive_caps=1)")
    return _watched(wish, f"virtual:{devices[0]}", devices[0], ends=False)


def _watched(wish: Wish, target: str, name: str, *, ends: bool) -> Passage:
    """`ends`: whether the watcher sees the end by itself."""
    clock = MonotonicClock()
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        seen = Path(folder) / "seen.json"
        with module("mien_bench.latency.watch", [name, str(seen)], watch.BEGUN) as watcher:
            rig = wish.rig(clock, patience=PATIENCE)
            _let_run_once_seen(watcher, rig, wish.frames)
            sink = Noting(lambda frame: _stream(target, frame, wish), clock.now)
            told = answer(wish, rig.source, sink, clock)
            if not ends:
                watcher.send_signal(signal.SIGTERM)
            if ended(watcher) != 0 or not seen.exists():
                raise SourceError(f"{name}: expected to see the pictures that were sent, got none")
        sight = Sight.from_json(json.loads(seen.read_text()))
    return Passage(sight, rig.stamped.sent, told, rig.held)


def _let_run_once_seen(watcher: subprocess.Popen[str], rig: Rig, frames: int) -> None:
    """Beginning to look takes a stream's reader seconds; what is sent meanwhile does not count."""

    def listen() -> None:
        assert watcher.stdout is not None
        for line in watcher.stdout:
            if line.strip() == watch.SEEN:
                rig.stamped.let_run(frames)
                return

    Thread(target=listen, name="bench-listen", daemon=True).start()


def _stream(target: str, frame: Frame, wish: Wish) -> Sink:
    width, height = frame.size
    settings = SinkSettings(width, height, RATE, frame.time_base, FORMAT if wish.sound else None)
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
