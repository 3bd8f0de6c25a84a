"""The invisible mark is laid on pictures and found again, through what happens to pictures on their way."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien import samples
from mien.capture import image
from mien.marking.pattern import levels_of
from mien.marking.payload import Payload
from mien.marking.reading import Reader, false_alarm
from mien_kernels import ops

Pixels = NDArray[np.uint8]
SAID = Payload(0x123456789AB)
NAMES = ("aldo", "mira", "teo")


def picture(name: str, size: tuple[int, int] = (512, 512)) -> Pixels:
    pixels = np.ascontiguousarray(image.read(samples.portraits()[name])[..., :3])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def marked(pixels: Pixels) -> Pixels:
    return ops.add_levels(pixels, levels_of(SAID, pixels.shape[1], pixels.shape[0]))


def as_jpeg(pixels: Pixels) -> Pixels:
    _, held = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 50])
    return np.asarray(cv2.imdecode(held, cv2.IMREAD_COLOR), np.uint8)


def scaled(side: int) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def noisy(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 0.02 * 255, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "nothing": lambda pixels: pixels,
    "JPEG of quality 50": as_jpeg,
    "half": scaled(256),
    "360 lines": scaled(360),
    "brighter, another gamma": lambda pixels: (255 * (pixels / 255.0) ** 1.2 * 0.95 + 10).astype(np.uint8),
    "noise of 2 %": noisy,
    "cropped": lambda pixels: np.ascontiguousarray(pixels[40:450, 60:470]),
}


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize("name", NAMES)
def test_the_mark_of_one_picture_is_read(name: str, change: str) -> None:
    found = Reader()([CHANGES[change](marked(picture(name)))])
    assert found is not None
    assert found.payload == SAID
    assert found.false_alarm < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_without_a_mark_has_none_and_another_key_reads_none(name: str) -> None:
    assert Reader()([picture(name)]) is None
    assert Reader(b"another")([marked(picture(name))]) is None


def test_pictures_that_are_wide_or_small_are_marked_alike() -> None:
    wide = marked(picture("mira", (1280, 720)))
    found = Reader()([np.asarray(cv2.resize(wide, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)])
    assert found is not None
    assert found.payload == SAID


def test_the_mark_is_weak() -> None:
    plain = picture("mira")
    error = np.mean((marked(plain).astype(float) - plain) ** 2)
    assert 10 * np.log10(255**2 / error) > 42
    assert np.abs(marked(plain).astype(int) - plain).max() <= 4


def through(frames: Sequence[Pixels], codec: str, rate: int, options: dict[str, str]) -> list[Pixels]:
    held = io.BytesIO()
    with av.open(held, "w", format="matroska") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", rate
        for frame in frames:
            container.mux(stream.encode(VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    held.seek(0)
    with av.open(held, "r") as written:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in written.decode(video=0)]


@pytest.mark.parametrize(
    ("codec", "rate", "options"),
    [
        ("libx264", 500_000, {"preset": "veryfast"}),
        ("libvpx", 400_000, {"deadline": "realtime", "cpu-used": "8"}),
    ],
)
def test_the_mark_of_a_coded_video_is_read(codec: str, rate: int, options: dict[str, str]) -> None:
    still = picture("teo")
    moving = [np.roll(still, number // 2, axis=1) for number in range(25)]
    found = Reader()(through([marked(frame) for frame in moving], codec, rate, options))
    assert found is not None
    assert found.payload == SAID


def test_frames_of_another_size_are_left_out_and_no_frames_have_no_mark() -> None:
    frames = [marked(picture("aldo")), picture("mira", (320, 320))]
    found = Reader()(frames)
    assert found is not None
    assert Reader()([]) is None


def test_false_alarms_are_rarer_for_marks_that_stand_out_or_need_no_mending() -> None:
    assert false_alarm(10_000, 12.0, 0) < false_alarm(10_000, 6.0, 0) < false_alarm(10_000, 6.0, 10) < 1e-8
    assert false_alarm(1_000_000, 6.0, 10) > false_alarm(10, 6.0, 10)
