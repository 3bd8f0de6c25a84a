"""Senders that are started again behind one address, with other numbers for their streams."""

from __future__ import annotations

import socket
import time
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import capture
from mien.capture import connection
from mien.capture.synthetic import number_of, pattern
from mien.frame import Frame

MakeClip = Any
PACKET, WIDTH, HEIGHT = 7 * 188, 160, 120


def _numbered(first: int, number: int) -> NDArray[np.uint8]:
    return pattern(WIDTH, HEIGHT, first + number)


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
