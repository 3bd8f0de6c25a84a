from __future__ import annotations

import subprocess
import sys
import threading
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mien
from mien import capture, samples
from mien.capture import image
from mien.config import WARP, MotionSettings, ReenactSettings
from mien.errors import FaceError, SettingError, SourceError
from mien.portrait.portrait import Portrait

SIZE = 256

PLAIN = ReenactSettings(model=WARP)


@pytest.fixture(scope="module")
def picture() -> Path:
    return next(iter(samples.portraits().values()))


@pytest.fixture(scope="module")
def portrait(picture: Path) -> Portrait:
    (prepared,) = mien.prepare(picture, size=SIZE)
    return prepared


@pytest.fixture(scope="module")
def pixels(picture: Path) -> NDArray[np.uint8]:
    return image.read(picture)


def test_prepare_takes_the_picture_as_it_is(picture: Path, pixels: NDArray[np.uint8]) -> None:
    (portrait,) = mien.prepare(str(picture))
    assert portrait.size == (pixels.shape[1], pixels.shape[0])
    assert (portrait.pixels == pixels).all()


def test_prepare_brings_it_to_a_wished_size(portrait: Portrait) -> None:
    assert max(portrait.size) == SIZE
    assert not any(side % 2 for side in portrait.size)


def test_prepare_makes_odd_sizes_even(pixels: NDArray[np.uint8]) -> None:
    (portrait,) = mien.prepare(pixels[:-1, :-1])
    assert portrait.size == (pixels.shape[1] - 2, pixels.shape[0] - 2)


def test_prepare_refuses_a_picture_without_a_face_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(FaceError, match="picture: expected a face, got none"):
        mien.prepare(np.full((64, 64, 3), 128, np.uint8))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3)),
        np.zeros((0, 0, 3), np.uint8),
    ],
)
def test_prepare_refuses_arrays_that_are_no_pictures(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(SettingError, match=r"must be \(H, W, 3\) uint8, got"):
        mien.prepare(wrong)


@pytest.mark.parametrize("wrong", [None, b"picture.jpg", [[[0, 0, 0]]], 3])
def test_prepare_says_what_it_was_given_in_place_of_a_picture(wrong: Any) -> None:
    kind = "None" if wrong is None else type(wrong).__name__
    with pytest.raises(SettingError, match=rf"must be a file's name or \(H, W, 3\) uint8, got {kind}"):
        mien.prepare(wrong)


@pytest.mark.parametrize("size", [0, -1, 63, 10**9, 128.5, "128"])
def test_prepare_refuses_sizes_that_no_picture_can_have(pixels: NDArray[np.uint8], size: Any) -> None:
    with pytest.raises(SettingError, match="size must be"):
        mien.prepare(pixels, size=size)


def test_prepare_takes_no_notice_of_what_numpy_raises_for_the_program(pixels: NDArray[np.uint8]) -> None:
    with np.errstate(all="raise"):
        (portrait,) = mien.prepare(pixels, size=SIZE)
    assert portrait.matte is not None


def test_prepare_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        mien.prepare(tmp_path / "none.jpg")


def test_further_pictures_are_aligned_with_the_first(pixels: NDArray[np.uint8]) -> None:
    side = min(pixels.shape[:2]) * 9 // 10
    first, other = mien.prepare(pixels, pixels[:side, -side:], size=SIZE)
    assert other.size == first.size
    assert other.pose.scale == pytest.approx(first.pose.scale, rel=0.03)
    assert np.abs(other.pose.translation[:2] - first.pose.translation[:2]).max() < 0.02 * SIZE


def test_animate_answers_every_frame_at_its_time(portrait: Portrait) -> None:
    frames = list(mien.animate(portrait, capture.open(samples.driver(), duration=0.5), PLAIN))
    captured = [item for item in capture.open(samples.driver(), duration=0.5) if isinstance(item, mien.Frame)]
    assert [(frame.pts, frame.time_base) for frame in frames] == [(frame.pts, frame.time_base) for frame in captured]
    assert {frame.size for frame in frames} == {portrait.size}
    assert all(frame.answers is not None for frame in frames)


def test_animate_moves_the_portrait(portrait: Portrait) -> None:
    frames = list(mien.animate([portrait], capture.open(samples.driver(), duration=2.0), PLAIN))
    first, *others = (frame.pixels.astype(np.int16) for frame in frames)
    assert max(int(np.abs(other - first).max()) for other in others) > 40


def test_animate_keeps_frames_that_were_given_out(portrait: Portrait) -> None:
    frames, copies = [], []
    for frame in mien.animate(portrait, capture.open(samples.driver(), duration=1.0), PLAIN):
        frames.append(frame.pixels)
        copies.append(frame.pixels.copy())
    assert all((kept == copy).all() for kept, copy in zip(frames, copies, strict=True))


def test_animate_without_smoothing_keeps_them_too(portrait: Portrait) -> None:
    settings = ReenactSettings(model=WARP, smooth=0.0)
    frames = list(mien.animate(portrait, capture.open(samples.driver(), duration=0.5), settings))
    assert len({id(frame.pixels) for frame in frames}) == len(frames)
    assert not any(np.shares_memory(a.pixels, b.pixels) for a, b in pairwise(frames))


def test_a_picture_of_itself_in_absolute_mode_stays_itself(portrait: Portrait) -> None:
    settings = ReenactSettings(model=WARP, motion=MotionSettings(mode="absolute"), smooth=0.0)
    (frame,) = mien.animate(portrait, capture.open(portrait.pixels), settings)
    assert np.abs(frame.pixels.astype(np.int16) - portrait.pixels).mean() < 3.0


def test_leaving_animate_early_stops_its_threads(portrait: Portrait) -> None:
    before = threading.active_count()
    frames = mien.animate(portrait, capture.open(samples.driver()), PLAIN)
    assert len(list(islice(frames, 3))) == 3
    frames.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)"])
def test_a_program_may_end_in_the_middle_of_animate(ending: str) -> None:
    lines = (
        "import mien",
        "from mien import samples",
        "from mien.config import WARP, ReenactSettings",
        f"portrait = mien.prepare(samples.portraits()['mira'], size={SIZE})",
        "source = mien.capture.open(samples.driver(), duration=4)",
        "frames = mien.animate(portrait, source, ReenactSettings(model=WARP))",
        "next(frames)",
        "print('answered', flush=True)",
        ending,
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "answered\n"), done.stderr


def test_a_driver_is_found_again_after_the_program_has_moved(
    portrait: Portrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples.driver().parent)
    source = capture.open(samples.driver().name, duration=0.2)
    monkeypatch.chdir(tmp_path)
    assert len(list(mien.animate(portrait, source, PLAIN))) == 5


def test_animate_refuses_what_is_no_source_or_no_portrait_at_once(portrait: Portrait) -> None:
    wrong: Any = str(samples.driver())
    with pytest.raises(SettingError, match=r"source: expected what mien\.capture\.open gives, got str; open"):
        mien.animate(portrait, wrong)
    with capture.open(samples.driver()) as source, pytest.raises(SettingError, match="portrait: expected at least one"):
        mien.animate((), source)


def test_animate_refuses_a_driver_without_a_face(portrait: Portrait) -> None:
    grey = [np.full((120, 160, 3), 90, np.uint8)] * 3
    with pytest.raises(FaceError, match="expected a face, got none"):
        list(mien.animate(portrait, capture.open(grey), PLAIN))
