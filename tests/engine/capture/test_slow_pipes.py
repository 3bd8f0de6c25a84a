"""Streams without times that come through a pipe, slowly: they begin with their first pictures."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from mien.cancellation import Cancellation
from mien.capture.live import LiveSource
from mien.capture.pipe import PipeFeed
from mien.capture.synthetic import number_of
from mien.clock import MonotonicClock
from mien.frame import Frame
from mien.timeline import TICKS, Arrival, Manner, Times, begun, play_out

MakeClip = Any
LIMIT = 30.0
RATE = 8
RAW = [
    ("mjpeg", "mjpeg", "yuvj420p", {}, 2),
    ("png", "image2pipe", "rgb24", {}, 10),
    ("libx264", "h264", "yuv420p", {"bf": "0", "tune": "zerolatency", "x264-params": "threads=1"}, 5),
    ("rawvideo", "yuv4mpegpipe", "yuv420p", {}, 2),
]


@pytest.mark.parametrize(("codec", "format", "pixels", "options", "needed"), RAW, ids=[raw[1] for raw in RAW])
def test_it_begins_with_its_first_pictures(
    make_clip: MakeClip, tmp_path: Path, codec: str, format: str, pixels: str, options: dict[str, str], needed: int
) -> None:
    base = Fraction(1, RATE)
    clip = make_clip(
        codec=codec, format=format, rate=RATE, count=needed, options=options, time_base=base, pix_fmt=pixels
    )
    out, into = os.pipe()
    os.write(into, clip.write(tmp_path / "raw").read_bytes())
    cancellation = Cancellation()
    giving_up = Timer(LIMIT, cancellation.cancel)
    giving_up.start()
    with LiveSource(PipeFeed("pipe", lambda: out), clock=MonotonicClock(), cancellation=cancellation) as source:
        first = next(iter(source))
        assert isinstance(first, Frame)
        assert number_of(first.pixels) == 0
    giving_up.cancel()
    os.close(into)


@pytest.mark.parametrize("rate", [1, 3, 8, 12])
def test_what_is_made_of_it_is_as_long_as_it_took_to_come(rate: int) -> None:
    """Whoever takes all of it began to take it later, as where a model was loaded meanwhile."""
    manner, times, count = Manner(patient=True, nominal=True, unhurried=True), Times(), 10 * rate
    for number in range(count):
        times = play_out(times, number * TICKS // 25, Arrival(100 + number / rate), manner)
        if number == 0:
            times = begun(times, 105.0, manner)
    assert times.last / TICKS == pytest.approx((count - 1) / rate, abs=0.05)


@pytest.mark.parametrize("speed", [0.2, 0.5])
def test_a_slow_converter_leaves_times_as_they_are(speed: float) -> None:
    manner, times = Manner(patient=True, unhurried=True), Times()
    for number in range(100):
        times = play_out(times, number * TICKS // 25, Arrival(number / 25 / speed), manner)
        times = times if number else begun(times, 0.0, manner)
    assert times.last == 99 * TICKS // 25
