"""Files of moving pictures as drivers: counts, times, and what is no animation although it looks like one."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien import capture
from mien.capture.image import read
from mien.capture.synthetic import number_of, pattern
from mien.errors import SourceError
from mien.frame import Frame

DELAYS = [40, 120, 40, 250, 80, 40]
"""Milliseconds."""
BEGINS = [0.0, 0.04, 0.16, 0.2, 0.45, 0.53]
SIZE = 160, 120


def pictures(count: int = len(DELAYS)) -> list[Image.Image]:
    return [Image.fromarray(pattern(*SIZE, number)) for number in range(count)]


def written(path: Path, format: str, **options: Any) -> Path:
    first, *more = pictures()
    if format == "WEBP":
        options |= {"lossless": True}
    first.save(path, format, save_all=True, append_images=more, duration=DELAYS, **options)
    return path


def jpegs(count: int) -> list[bytes]:
    files = []
    for picture in pictures(count):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=95)
        files.append(buffer.getvalue())
    return files


def frames_of(path: Path, **options: Any) -> list[Frame]:
    with capture.open(path, **options) as source:
        return [item for item in source if isinstance(item, Frame)]


def numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.pixels) for frame in frames]


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp")])
def test_a_part_is_played_again_after_it_was_looked_through(tmp_path: Path, format: str, ending: str) -> None:
    path = written(tmp_path / f"driver{ending}", format)
    with capture.open(path, duration=0.3) as source:
        assert numbers(list(source.sample(9))) == [0, 1, 2, 3]
        assert numbers([item for item in source if isinstance(item, Frame)]) == [0, 1, 2, 3]
        assert source.warnings == ()


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("AVIF", ".avif")])
def test_every_picture_at_its_own_time(tmp_path: Path, format: str, ending: str) -> None:
    path = written(tmp_path / f"driver{ending}", format)
    frames = frames_of(path)
    assert numbers(frames) == list(range(len(DELAYS)))
    assert [frame.seconds for frame in frames] == pytest.approx(BEGINS, abs=0.001)
    lengths = [float((frame.duration or 0) * frame.time_base) for frame in frames]
    assert lengths == pytest.approx([delay / 1000 for delay in DELAYS], abs=0.001)


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp")])
def test_what_is_known_of_it_before(tmp_path: Path, format: str, ending: str) -> None:
    with capture.open(written(tmp_path / f"driver{ending}", format)) as source:
        assert source.info.frame_count == 6
        assert source.info.duration == pytest.approx(0.57)
        assert (source.info.width, source.info.height) == SIZE
        assert float(source.info.rate) == pytest.approx(6 / 0.57, rel=0.01)
        assert numbers(list(source.sample(3))) == [1, 3, 5]
        assert len([item for item in source if isinstance(item, Frame)]) == 6


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp")])
def test_a_part_of_it(tmp_path: Path, format: str, ending: str) -> None:
    path = written(tmp_path / f"driver{ending}", format)
    frames = frames_of(path, start=0.1, duration=0.4)
    assert numbers(frames) == [2, 3, 4]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.04, 0.29], abs=0.001)
    with pytest.raises(SourceError, match=r"expected a start no later than the last picture, at 0\.\d+ s, got 3 s"):
        capture.open(path, start=3)


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("AVIF", ".avif")])
def test_the_first_picture_is_the_portrait(tmp_path: Path, format: str, ending: str) -> None:
    assert number_of(read(written(tmp_path / f"portrait{ending}", format))) == 0


def test_a_picture_for_programs_that_do_not_know_apng_is_not_played(tmp_path: Path) -> None:
    path = tmp_path / "driver.png"
    first, *more = pictures()
    Image.new("RGB", SIZE, "white").save(
        path, "PNG", save_all=True, append_images=[first, *more], default_image=True, duration=DELAYS
    )
    frames = frames_of(path)
    assert numbers(frames) == list(range(6))
    assert [frame.seconds for frame in frames] == pytest.approx(BEGINS, abs=0.001)
    assert read(path).min() == 255


def test_pictures_without_a_time_are_shown_as_browsers_do(tmp_path: Path) -> None:
    first, *more = pictures()
    first.save(tmp_path / "fast.png", save_all=True, append_images=more, duration=0)
    assert [frame.seconds for frame in frames_of(tmp_path / "fast.png")] == pytest.approx([i / 10 for i in range(6)])


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("AVIF", ".avif")])
def test_one_picture_of_a_kind_that_may_move_stands(tmp_path: Path, format: str, ending: str) -> None:
    path = tmp_path / f"still{ending}"
    pictures(1)[0].save(path, format)
    assert numbers(frames_of(path, duration=0.5, rate=8)) == [0] * 4


def test_transparent_pictures_are_composed(tmp_path: Path) -> None:
    """Each next picture of the file is a square on what was there."""
    base = Image.new("RGBA", (64, 64), (200, 0, 0, 255))
    square = base.copy()
    square.paste((0, 0, 200, 255), (8, 8, 24, 24))
    for format, ending in (("PNG", ".png"), ("WEBP", ".webp")):
        path = tmp_path / f"square{ending}"
        base.save(path, format, save_all=True, append_images=[square], duration=100, lossless=True)
        _, second = frames_of(path)
        assert second.pixels[16, 16].tolist() == pytest.approx([0, 0, 200], abs=2)
        assert second.pixels[40, 40].tolist() == pytest.approx([200, 0, 0], abs=2)


@pytest.mark.parametrize("ending", [".mjpeg", ".mjpg", ".jpg"])
def test_jpegs_one_after_the_other_are_a_driver(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"camera{ending}"
    path.write_bytes(b"".join(jpegs(20)))
    frames = frames_of(path)
    assert numbers(frames) == list(range(20))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 25 for i in range(20)])
    assert numbers(frames_of(path, rate=10, start=0.5, duration=0.5)) == [5, 6, 7, 8, 9]
    assert number_of(read(path)) == 0


def test_a_damaged_one_among_jpegs_is_left_out_and_told(tmp_path: Path) -> None:
    files = jpegs(5)
    files[2] = files[2][: len(files[2]) // 2]
    (tmp_path / "camera.mjpeg").write_bytes(b"".join(files))
    with capture.open(tmp_path / "camera.mjpeg") as source:
        frames = [item for item in source if isinstance(item, Frame)]
        assert source.broken_frames == 1
        assert len(source.warnings) == 1
        assert "camera.mjpeg, picture 3: expected a picture, got a damaged JPEG file" in source.warnings[0]
    assert numbers(frames) == [0, 1, 3, 4]
    assert [frame.pts for frame in frames] == [0, 1, 3, 4]


def test_a_photograph_with_more_pictures_behind_it_is_one(tmp_path: Path) -> None:
    """Two views in one file (MPO), a map of highlights of another size, and bytes that only look like a picture."""
    first, second = pictures(2)
    first.save(tmp_path / "both.mpo", "MPO", save_all=True, append_images=[second])
    small = io.BytesIO()
    second.resize((40, 30)).save(small, "JPEG")
    for name, data in {
        "both.jpg": (tmp_path / "both.mpo").read_bytes(),
        "map.jpg": jpegs(1)[0] + small.getvalue(),
        "junk.jpg": jpegs(1)[0] + b"\0" * 99 + b"\xff\xd8\xff\xe0" + bytes(500),
    }.items():
        (tmp_path / name).write_bytes(data)
        assert numbers(frames_of(tmp_path / name)) == [0], name
        assert number_of(read(tmp_path / name)) == 0


@pytest.mark.parametrize(("format", "ending"), [("PNG", ".png"), ("WEBP", ".webp")])
def test_a_file_that_breaks_off_is_told(tmp_path: Path, format: str, ending: str) -> None:
    path = written(tmp_path / f"cut{ending}", format)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    try:
        with capture.open(path) as source:
            frames = [item for item in source if isinstance(item, Frame)]
            told = " ".join(source.warnings)
    except SourceError as error:
        frames, told = [], str(error)
    assert "damaged" in told
    assert numbers(frames) == list(range(len(frames)))
    assert len(frames) < 6


def test_a_gif_that_breaks_off_is_played_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "driver.gif", "GIF")
    with capture.open(path) as source:
        list(source)
        assert source.warnings == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with capture.open(path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        (told,) = source.warnings
    assert told.startswith(f"{path} breaks off at 0.")
    assert 0 < len(frames) < 6


def test_orientation_and_profile_hold_for_every_picture(tmp_path: Path) -> None:
    from tests.engine.capture.profiles import P3, rgb_profile

    exif = Image.Exif()
    exif[0x0112] = 3
    for format, ending in (("PNG", ".png"), ("WEBP", ".webp")):
        path = tmp_path / f"turned{ending}"
        one, two = Image.new("RGB", (40, 30), (224, 172, 142)), Image.new("RGB", (40, 30), (224, 172, 142))
        two.paste((0, 0, 0), (0, 0, 40, 10))
        profile = {"icc_profile": rgb_profile(P3), "exif": exif.tobytes(), "lossless": True}
        one.save(path, format, save_all=True, append_images=[two], duration=100, **profile)
        frames = frames_of(path)
        assert len(frames) == 2
        for frame in frames:
            assert frame.pixels[3, 3].tolist() == pytest.approx([234, 169, 137], abs=3)
        assert frames[1].pixels[27, 20].max() <= 3


def test_time_bases_are_one_for_all(tmp_path: Path) -> None:
    frames = frames_of(written(tmp_path / "driver.png", "PNG"))
    assert {frame.time_base for frame in frames} == {Fraction(1, 90_000)}
    assert all(np.diff([frame.pts for frame in frames]) > 0)
