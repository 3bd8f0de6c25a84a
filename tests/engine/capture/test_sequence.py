from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien import capture
from mien.capture.synthetic import number_of, pattern
from mien.emit.images import ENDINGS, PictureEncoder
from mien.emit.mark import tags
from mien.errors import SettingError, SourceError
from mien.frame import Frame


def write_picture(path: Path, number: int, width: int = 96, height: int = 64) -> None:
    frame = Frame(pattern(width, height, number), 0, Fraction(1, 25))
    path.write_bytes(PictureEncoder(ENDINGS[path.suffix], tags({}), str(path)).encode(frame))


def frames_of(source: str | Path, **options: float) -> list[Frame]:
    with capture.open(source, **options) as opened:  # type: ignore[arg-type]
        return [item for item in opened if isinstance(item, Frame)]


def numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.pixels) for frame in frames]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures 0 to 11 whose names sort wrongly as text."""
    for number in range(12):
        write_picture(tmp_path / f"shot{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_folder_in_the_order_of_numbers(folder: Path) -> None:
    frames = frames_of(folder, rate=10)
    assert numbers(frames) == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 10 for i in range(12)])
    assert {frame.duration for frame in frames} == {1}


@pytest.mark.parametrize("pattern_name", ["shot%d.png", "shot*.png", "shot[0-9]*.png"])
def test_patterns(folder: Path, pattern_name: str) -> None:
    assert numbers(frames_of(str(folder / pattern_name))) == list(range(12))


def test_padded_pattern(tmp_path: Path) -> None:
    for number in (1, 2, 10, 100):
        write_picture(tmp_path / f"a_{number:03d}.jpg", number)
    write_picture(tmp_path / "a_7.jpg", 7)
    assert numbers(frames_of(str(tmp_path / "a_%03d.jpg"))) == [1, 2, 10, 100]


def test_start_and_duration(folder: Path) -> None:
    assert numbers(frames_of(folder, rate=10, start=0.3, duration=0.4)) == [3, 4, 5, 6]
    with capture.open(folder, rate=10, start=0.3, duration=0.4) as source:
        assert source.info.frame_count == 4
        assert source.info.duration == pytest.approx(0.4)
    assert next(iter(frames_of(folder, rate=10, start=0.3))).pts == 0


def test_damaged_picture_is_skipped_and_counted(folder: Path) -> None:
    (folder / "shot4.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (folder / "shot0.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with capture.open(folder) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        assert source.broken_frames == 2
    assert numbers(frames) == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert frames[0].pts == 1


def test_a_picture_that_breaks_off_is_told(tmp_path: Path) -> None:
    """Half of a picture would be half of a face."""
    for number in range(8):
        write_picture(tmp_path / f"{number}.jpg", number)
    for number in (2, 3, 5, 6):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with capture.open(tmp_path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        assert source.broken_frames == 4
        told = source.warnings
    assert numbers(frames) == [0, 1, 4, 7]
    assert [frame.pts for frame in frames] == [0, 1, 4, 7]
    assert len(told) == 4
    assert told[0].startswith(f"{tmp_path / '2.jpg'}: expected a picture, got a damaged JPEG file (")
    assert told[0].endswith("; save it again (left out)")
    assert told[3] == f"{tmp_path}: 1 more damaged"


def test_pictures_of_other_sizes_take_the_first_ones(tmp_path: Path) -> None:
    write_picture(tmp_path / "0.png", 0)
    write_picture(tmp_path / "1.png", 1, 200, 100)
    frames = frames_of(tmp_path)
    assert [frame.size for frame in frames] == [(96, 64), (96, 64)]
    assert numbers(frames) == [0, 1]


def test_sample(folder: Path) -> None:
    with capture.open(folder) as source:
        assert numbers(list(source.sample(3))) == [2, 6, 10]
        assert len(list(source.sample(50))) == 12
        assert len([item for item in source if isinstance(item, Frame)]) == 12


def test_single_picture(folder: Path) -> None:
    assert numbers(frames_of(folder / "shot5.png")) == [5]
    shown = frames_of(folder / "shot5.png", duration=0.5, rate=8)
    assert numbers(shown) == [5] * 4
    assert [frame.pts for frame in shown] == [0, 1, 2, 3]


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected pictures .* in this folder, got none"):
        capture.open(tmp_path)


def test_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected pictures that fit this pattern, got none"):
        capture.open(str(tmp_path / "%04d.png"))


def test_all_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(SourceError, match="got a damaged PNG file"):
        capture.open(tmp_path)


def test_rate_must_be_positive(folder: Path) -> None:
    with pytest.raises(SettingError, match="rate must be more than 0"):
        capture.open(folder, rate=0)


def test_arrays(tmp_path: Path) -> None:
    arrays = [pattern(64, 48, number) for number in range(5)]
    for given in (arrays, np.stack(arrays)):
        with capture.open(given, rate=5) as source:
            assert source.info.frame_count == 5
            assert numbers([item for item in source if isinstance(item, Frame)]) == list(range(5))
    with capture.open(arrays[3]) as source:
        assert numbers([item for item in source if isinstance(item, Frame)]) == [3]


def test_arrays_of_other_shapes_are_refused() -> None:
    with pytest.raises(SourceError, match="uint8 pictures, got"):
        capture.open(np.zeros((4, 5), np.uint8)[None])
    with pytest.raises(SourceError, match="of one shape"):
        capture.open([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)])
    with pytest.raises(SourceError, match="at least one"):
        capture.open([])
