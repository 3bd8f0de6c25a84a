"""Comparison, window, memory and null sinks."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mien import capture, emit
from mien.capture.synthetic import number_of, pattern
from mien.emit.compare import CompareSink, beside_settings
from mien.emit.sink import MemorySink, NullSink, SinkSettings
from mien.emit.window import WindowSink
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat

SETTINGS = SinkSettings(128, 96, Fraction(25), Fraction(1, 25))
TICK = Fraction(1, 25)


def answered(number: int) -> Frame:
    return Frame(pattern(320, 240, number), number, TICK).answer(pattern(128, 96, number + 100))


def test_driver_left_output_right() -> None:
    inner = MemorySink()
    with CompareSink(inner, SETTINGS, (320, 240), keeps=True) as sink:
        sink.write(answered(1))
        sink.write(answered(2))
    joined = inner.frames[0]
    assert joined.size == (128 + 128, 96)
    assert joined.pts == 1
    assert number_of(np.ascontiguousarray(joined.pixels[:, :128])) == 1
    assert np.array_equal(joined.pixels[:, 128:], pattern(128, 96, 101))
    assert inner.frames[1].pixels is not joined.pixels


def test_a_frame_that_answers_none_has_black_beside_it() -> None:
    inner = MemorySink()
    CompareSink(inner, SETTINGS, (320, 240)).write(Frame(pattern(128, 96, 0), 0, TICK))
    assert inner.frames[0].pixels[:, :128].max() == 0


@pytest.mark.parametrize(("driver", "width"), [((640, 480), 128), ((1080, 1920), 54), ((101, 97), 100), ((3, 4000), 2)])
def test_width_beside(driver: tuple[int, int], width: int) -> None:
    assert beside_settings(SETTINGS, driver).width == 128 + width


def test_comparison_as_a_video(tmp_path: Path) -> None:
    with emit.open(tmp_path / "out.mp4", SETTINGS, beside=(320, 240)) as sink:
        for number in range(5):
            sink.write(answered(number))
    with capture.open(tmp_path / "out.mp4") as source:
        frames = [item for item in source if isinstance(item, Frame)]
    assert [number_of(np.ascontiguousarray(frame.pixels[:, :128])) for frame in frames] == list(range(5))
    assert [number_of(np.ascontiguousarray(frame.pixels[:, 128:])) for frame in frames] == list(range(100, 105))


def test_memory_keeps_all_or_nothing() -> None:
    sound = Sound(np.zeros((1, 8), np.float32), 0, Fraction(1, 8000), SoundFormat(8000, 1))
    sink = MemorySink()
    with sink:
        sink.write(answered(0))
        sink.write_sound(sound)
    assert sink.finished
    assert len(sink.frames) == len(sink.sounds) == 1
    with pytest.raises(KeyboardInterrupt), sink:
        raise KeyboardInterrupt
    assert sink.frames == []


def test_null_counts() -> None:
    with NullSink() as sink:
        sink.write(answered(0))
        sink.write_sound(Sound(np.zeros((1, 8), np.float32), 0, Fraction(1, 8000), SoundFormat(8000, 1)))
    assert sink.frames == 1


def test_window_without_a_display_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.delenv("DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    with pytest.raises(SinkError, match=r"window: expected a display, got none .*; write to a file instead"):
        emit.open("window", SETTINGS)


def test_window_without_tk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(SinkError, match="expected a Python with Tk"):
        emit.open("window", SETTINGS)


class Screen:
    """What a stand-in for Tk was told."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []
        self.destroyed = 0
        self.handlers: dict[str, Any] = {}


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    told = Screen()

    class Root:
        def title(self, text: str) -> None: ...

        def update(self) -> None: ...

        def protocol(self, name: str, call: Any) -> None:
            told.handlers[name] = call

        def bind(self, name: str, call: Any) -> None:
            told.handlers[name] = call

        def destroy(self) -> None:
            told.destroyed += 1

    class PhotoImage:
        def __init__(self, **options: Any) -> None: ...

        def configure(self, *, data: bytes, format: str) -> None:
            assert format == "PPM"
            told.shown.append(data)

    class Label:
        def __init__(self, *arguments: Any, **options: Any) -> None: ...

        def pack(self) -> None: ...

    module = ModuleType("tkinter")
    for name, value in {"Tk": Root, "PhotoImage": PhotoImage, "Label": Label, "TclError": RuntimeError}.items():
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, "tkinter", module)
    return told


def test_window_shows_frames_until_it_is_closed(screen: Screen) -> None:
    with WindowSink(SETTINGS) as sink:
        assert screen.destroyed == 1  # the probe
        sink.write(answered(0))
        sink.write(answered(1))
        assert [data[:14] for data in screen.shown] == [b"P6 128 96 255 "] * 2
        assert screen.shown[0][14:] == pattern(128, 96, 100).tobytes()
        screen.handlers["WM_DELETE_WINDOW"]()
        assert sink.closed
        sink.write(answered(2))
        assert len(screen.shown) == 2
    assert screen.destroyed == 2
