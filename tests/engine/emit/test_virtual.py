"""What is sent to a virtual camera, and what is said where there is none. No driver is needed: it stands in here."""

from __future__ import annotations

import sys
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import emit
from mien.capture.synthetic import number_of, pattern_source
from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame

SETTINGS = SinkSettings(96, 64, Fraction(25), Fraction(1, 25))


class Driver:
    """What pyvirtualcam.Camera does, without a device; as strict about frames."""

    def __init__(self, width: int, height: int, fps: float, *, device: str | None = None) -> None:
        if device == "/dev/video9":
            raise RuntimeError("'v4l2loopback' backend: device /dev/video9 is\nnot a loopback device")
        self.shape = (height, width, 3)
        self.device = device or "/dev/video0"
        self.sent: list[NDArray[np.uint8]] = []
        self.closed = False

    def send(self, pixels: NDArray[np.uint8]) -> None:
        assert not self.closed
        assert pixels.shape == self.shape
        assert pixels.flags.c_contiguous
        self.sent.append(pixels.copy())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[Driver]:
    """Those that were taken."""
    taken: list[Driver] = []

    def camera(*arguments: Any, **options: Any) -> Driver:
        taken.append(Driver(*arguments, **options))
        return taken[-1]

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=camera))
    return taken


@pytest.mark.parametrize("alpha", [False, True])
def test_frames_are_shown_as_they_come(cameras: list[Driver], alpha: bool) -> None:
    with emit.open("virtual", SETTINGS, mark=False) as sink:
        for item in pattern_source(96, 64, count=3):
            assert isinstance(item, Frame)
            pixels = np.dstack([item.pixels, np.full((64, 96), 255, np.uint8)]) if alpha else item.pixels
            sink.write(Frame(pixels, item.pts, item.time_base, layout="rgba" if alpha else "rgb24"))
        assert not cameras[0].closed
    assert [number_of(pixels) for pixels in cameras[0].sent] == [0, 1, 2]
    assert cameras[0].closed


def test_a_device_may_be_named(cameras: list[Driver]) -> None:
    emit.open("virtual:/dev/video7", SETTINGS).discard()
    assert cameras[0].device == "/dev/video7"
    assert cameras[0].closed


def test_no_driver_is_one_line_with_its_cure(cameras: list[Driver]) -> None:
    with pytest.raises(SinkError) as caught:
        emit.open("virtual:/dev/video9", SETTINGS)
    line = str(caught.value)
    assert "\n" not in line
    assert "expected a virtual camera, got none" in line
    assert "v4l2loopback" in line


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match="expected the package pyvirtualcam"):
        emit.open("virtual", SETTINGS)


def test_another_size_is_refused(cameras: list[Driver]) -> None:
    sink = emit.open("virtual", SETTINGS)
    with pytest.raises(SinkError, match="expected frames of"):
        sink.write(Frame(np.zeros((10, 10, 3), np.uint8), 0, Fraction(1, 25)))
