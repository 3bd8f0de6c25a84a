"""Streams without a container around them: no times, no length, and no way back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mien import capture
from mien.capture import spread
from mien.capture.paced import Paced
from mien.capture.synthetic import number_of
from mien.clock import ManualClock
from mien.frame import Frame

MakeClip = Any
RAW = [
    ("libx264", "264", "h264", 30, {"bf": "2"}),
    ("libx264", "h264", "h264", 50, {"bf": "0"}),
    ("libx265", "265", "hevc", 12, {"x265-params": "log-level=none:pools=1"}),
    ("mpeg4", "m4v", "m4v", 25, {}),
    ("mpeg2video", "m2v", "mpeg2video", 25, {}),
]
COUNT = 40


@pytest.fixture(params=RAW, ids=lambda raw: f"{raw[1]} at {raw[3]}")
def raw(request: pytest.FixtureRequest, make_clip: MakeClip, tmp_path: Path) -> tuple[Path, int]:
    codec, ending, format, rate, options = request.param
    clip = make_clip(codec=codec, rate=rate, count=COUNT, format=format, options=options, time_base=Fraction(1, rate))
    return clip.write(tmp_path / f"clip.{ending}"), rate


def numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.pixels) for frame in frames]


def test_every_frame_at_its_rate(raw: tuple[Path, int]) -> None:
    path, rate = raw
    with capture.open(path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        assert source.info.rate == rate
        assert source.warnings == ()
    assert numbers(frames) == list(range(COUNT))
    assert [frame.seconds for frame in frames] == pytest.approx([n / rate for n in range(COUNT)], abs=1e-4)


def test_a_part_of_it(raw: tuple[Path, int]) -> None:
    path, rate = raw
    with capture.open(path, start=10 / rate, duration=12 / rate) as source:
        assert source.info.frame_count == 12
        sampled = numbers(list(source.sample(3)))
        frames = [item for item in source if isinstance(item, Frame)]
    assert numbers(frames) == list(range(10, 22))
    assert [frame.seconds for frame in frames] == pytest.approx([n / rate for n in range(12)], abs=1e-4)
    assert sampled == pytest.approx([12, 16, 20], abs=1)


@pytest.mark.parametrize("short", [spread._SHORT_FRAMES, 0], ids=["short", "long"])
def test_frames_spread_over_it(raw: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, short: int) -> None:
    path, rate = raw
    monkeypatch.setattr(spread, "_SHORT_FRAMES", short)
    monkeypatch.setattr(spread, "_SHORT_FACTOR", 8 if short else 1)
    with capture.open(path) as source:
        seen = list(source.sample(4))
        assert len([item for item in source if isinstance(item, Frame)]) == COUNT, "its own place is left alone"
    assert numbers(seen) == pytest.approx([5, 15, 25, 35], abs=1)
    assert [frame.seconds for frame in seen] == pytest.approx([n / rate for n in numbers(seen)], abs=1e-4)


def test_it_is_played_again_and_again(raw: tuple[Path, int]) -> None:
    path, rate = raw
    clock, seen = ManualClock(), list[Frame]()

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        return False

    with Paced(capture.open(path), clock, again=lambda: capture.open(path), wait=wait) as source:
        for item in source:
            assert isinstance(item, Frame)
            seen.append(item)
            if len(seen) == 2 * COUNT:
                break
    assert numbers(seen) == 2 * list(range(COUNT))
    assert [frame.seconds for frame in seen] == pytest.approx([n / rate for n in range(2 * COUNT)], abs=1e-3)
