from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien import capture, emit
from mien.capture.synthetic import number_of, pattern_source
from mien.emit.memory import MemorySink
from mien.emit.sink import SinkSettings
from mien.emit.tee import Tee
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound import Sound, SoundFormat

SOUND = SoundFormat(8000, 1)


class Failing(MemorySink):
    def write(self, frame: Frame) -> None:
        raise SinkError("record: the disk is full")

    def discard(self) -> None:
        raise SinkError("record: and gone")


def items(count: int) -> Iterator[Frame | Sound]:
    return iter(pattern_source(96, 64, rate=10, count=count, sound=SOUND))


def pour(tee: Tee, given: Iterator[Frame | Sound], count: int) -> None:
    """So many frames, and the sound after each."""
    for _ in range(count):
        frame, sound = next(given), next(given)
        assert isinstance(frame, Frame)
        assert isinstance(sound, Sound)
        tee.write(frame)
        tee.write_sound(sound)


def numbers(sink: MemorySink) -> list[int]:
    return [number_of(frame.pixels) for frame in sink.frames]


def test_a_recording_begun_in_mid_stream_begins_at_zero() -> None:
    main, first, second = MemorySink(), MemorySink(), MemorySink()
    given = items(30)
    with Tee(main, told=pytest.fail) as tee:
        pour(tee, given, 5)
        tee.attach(first)
        pour(tee, given, 10)
        tee.detach()
        pour(tee, given, 5)
        tee.attach(second)
        pour(tee, given, 10)
    assert numbers(main) == list(range(30))
    for record, begin in ((first, 5), (second, 20)):
        assert numbers(record) == list(range(begin, begin + 10))
        assert [frame.pts for frame in record.frames] == list(range(10))
        assert [sound.pts for sound in record.sounds] == [800 * n for n in range(10)]
        assert record.finished
    assert main.finished


def test_what_goes_wrong_with_a_recording_is_told_and_ends_it_alone() -> None:
    main, told = MemorySink(), list[str]()
    with Tee(main, told=told.append, beside=Failing()) as tee:
        pour(tee, items(5), 5)
        going_on = tee.recording
    assert not going_on
    assert told == ["record: the disk is full"]
    assert numbers(main) == list(range(5))
    assert main.finished


def test_a_recording_of_a_broken_stream_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "record.mp4"
    settings = SinkSettings(96, 64, Fraction(10), Fraction(1, 10), SOUND)
    with pytest.raises(RuntimeError), Tee(MemorySink(), told=pytest.fail, beside=emit.open(path, settings)) as tee:
        pour(tee, items(10), 10)
        raise RuntimeError
    with capture.open(path) as source:
        shown = [item for item in source if isinstance(item, Frame)]
    assert [number_of(frame.pixels) for frame in shown] == list(range(10))


@pytest.mark.parametrize("ending", [".webm", "/%04d.png"])
def test_transparency_survives(tmp_path: Path, ending: str) -> None:
    """A soft-edged disc on nothing, through VP9's second stream and through PNG."""
    y, x = np.mgrid[:64, :96]
    alpha = np.clip(28 - np.hypot(x - 48, y - 32), 0, 8) * 255 / 8
    pixels = np.dstack([np.full((64, 96, 3), (210, 120, 40)), alpha]).astype(np.uint8)
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25), alpha=True)
    (tmp_path / "out").mkdir()
    target = f"{tmp_path}/out{ending}"
    with emit.open(target, settings, mark=False) as sink:
        for number in range(5):
            sink.write(Frame(np.roll(pixels, number, axis=1), number, Fraction(1, 25), layout="rgba"))
    with capture.open(target, alpha=True) as source:
        shown = [item for item in source if isinstance(item, Frame)]
    assert len(shown) == 5
    for number, frame in enumerate(shown):
        assert frame.layout == "rgba"
        wanted = np.roll(pixels, number, axis=1).astype(int)
        off = np.abs(frame.pixels.astype(int) - wanted)
        assert off[..., 3].mean() < 3
        assert off[..., :3][wanted[..., 3] == 255].mean() < 6


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_transparency_is_refused_where_it_cannot_be_kept(tmp_path: Path, ending: str) -> None:
    settings = SinkSettings(96, 64, Fraction(25), Fraction(1, 25), alpha=True)
    with pytest.raises(SinkError, match=r"expected \.webm, or pictures as \.png, for a transparent background"):
        emit.open(tmp_path / f"out{ending}", settings)
    assert list(tmp_path.iterdir()) == []
