"""Senders that are started again behind one address, with other numbers for their streams."""

from __future__ import annotations

import os
import socket
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import capture
from mien.capture import connection
from mien.capture.live import LiveSource
from mien.capture.network import NetworkFeed
from mien.capture.pipe import PipeFeed
from mien.capture.synthetic import number_of, pattern
from mien.clock import MonotonicClock
from mien.frame import Frame

MakeClip = Any
PACKET, WIDTH, HEIGHT = 7 * 188, 160, 120


def _numbered(first: int, number: int) -> NDArray[np.uint8]:
    return pattern(WIDTH, HEIGHT, first + number)


def other_streams(make_clip: MakeClip, folder: Path) -> bytes:
    """A second of MPEG-TS, and another one behind it whose streams have other numbers."""
    pids = {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352"}
    first, second = (make_clip(count=30, container_options=options) for options in ({}, pids))
    data: bytes = first.write(folder / "first.ts").read_bytes() + second.write(folder / "second.ts").read_bytes()
    return data


def seen_with_warnings(source: LiveSource) -> tuple[list[int], tuple[str, ...]]:
    with source:
        return [number_of(item.pixels) for item in source if isinstance(item, Frame)], source.warnings


def test_a_pipe_that_goes_on_in_other_streams_is_told(make_clip: MakeClip, tmp_path: Path) -> None:
    data, (out, into) = other_streams(make_clip, tmp_path), os.pipe()
    writer = Thread(target=lambda: Path(f"/dev/fd/{into}").write_bytes(data))
    writer.start()
    source = LiveSource(PipeFeed("pipe", lambda: out), clock=MonotonicClock(), in_time=False)
    writer.join()
    os.close(into)
    numbers, warnings = seen_with_warnings(source)
    assert numbers == list(range(30))
    assert len(warnings) == 1
    assert warnings[0].startswith("pipe has streams that begin in its middle (5")


def test_so_is_a_recording_on_a_server(make_clip: MakeClip, tmp_path: Path) -> None:
    (tmp_path / "both.ts").write_bytes(other_streams(make_clip, tmp_path))
    serving = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        Thread(target=server.serve_forever).start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/both.ts"
            numbers, warnings = seen_with_warnings(
                LiveSource(NetworkFeed(address), clock=MonotonicClock(), in_time=False)
            )
        finally:
            server.shutdown()
    assert numbers == list(range(30))
    assert len(warnings) == 1
    assert "both.ts has streams that begin in its middle (5" in warnings[0]


def test_a_sender_that_comes_back_with_other_streams_is_seen_again(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "UNWANTED", 1.0)
    first, second = (
        make_clip(count=60, picture=partial(_numbered, first), container_options={"mpegts_start_pid": pid})
        .write(tmp_path / f"{pid}.ts")
        .read_bytes()
        for first, pid in ((0, "256"), (200, "768"))
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    over = Event()

    def send() -> None:
        """The first recording once, then the other one again and again."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for data in chain([first], (second for _ in range(40))):
                for begin in range(0, len(data), PACKET):
                    if over.wait(2.0 * PACKET / len(data)):
                        return
                    out.sendto(data[begin : begin + PACKET], ("127.0.0.1", port))

    sender = Thread(target=send)
    sender.start()
    seen, began = list[int](), time.monotonic()
    try:
        with capture.open(f"udp://127.0.0.1:{port}", in_time=True) as source:
            for item in source:
                if isinstance(item, Frame):
                    seen.append(number_of(item.pixels))
                if seen and seen[-1] >= 200:
                    break
                assert time.monotonic() - began < 60, "no picture of the sender that came back"
            assert any("broke off" in warning for warning in source.warnings)
    finally:
        over.set()
        sender.join()
    assert seen[0] < 60
    assert seen[-1] >= 200
