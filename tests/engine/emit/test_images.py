from __future__ import annotations

import errno
import os
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from mien import capture, emit
from mien.capture.image import read
from mien.capture.synthetic import number_of, pattern
from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame

SETTINGS = SinkSettings(96, 64, Fraction(10), Fraction(1, 10), metadata={"mien_model": "warp", "name": "Zoë"})


def frame_of(number: int) -> Frame:
    return Frame(pattern(96, 64, number), number, Fraction(1, 10))


def write(target: Path, count: int, mark: bool = False) -> None:
    with emit.open(target, SETTINGS, mark=mark) as sink:
        for number in range(count):
            sink.write(frame_of(number))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_still_png_is_exact(tmp_path: Path) -> None:
    write(tmp_path / "out.png", 1)
    assert np.array_equal(read(tmp_path / "out.png"), pattern(96, 64, 0))
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".JPG"])
def test_still_jpeg_is_close(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"out{ending}", 1)
    assert np.abs(read(tmp_path / f"out{ending}").astype(int) - pattern(96, 64, 0)).mean() < 1.5


def test_png_keeps_an_alpha(tmp_path: Path) -> None:
    pixels = np.dstack([pattern(97, 63, 1), np.full((63, 97), 100, np.uint8)])
    with emit.open(tmp_path / "out.png", SETTINGS, mark=False) as sink:
        sink.write(Frame(pixels, 0, Fraction(1, 10), layout="rgba"))
    found = next(iter(capture.open(tmp_path / "out.png", alpha=True)))
    assert isinstance(found, Frame)
    assert np.array_equal(found.pixels, pixels)


def test_a_second_frame_for_a_still_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"expected one picture, got more; name a video \(.mp4\) or a pattern"):
        write(tmp_path / "out.png", 2)
    assert names(tmp_path) == []


def test_new_folder(tmp_path: Path) -> None:
    write(tmp_path / "pictures", 12)
    assert names(tmp_path) == ["pictures"]
    assert names(tmp_path / "pictures") == [f"{number:05d}.png" for number in range(1, 13)]
    with capture.open(tmp_path / "pictures", rate=10) as source:
        assert [number_of(item.pixels) for item in source if isinstance(item, Frame)] == list(range(12))


def test_existing_folder_keeps_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, 2)
    assert names(tmp_path) == ["00001.png", "00002.png", "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_pattern(tmp_path: Path) -> None:
    write(tmp_path / "shot_%03d.jpg", 3)
    assert names(tmp_path) == ["shot_001.jpg", "shot_002.jpg", "shot_003.jpg"]


def test_pattern_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("%d.png"), 2)
    assert names(tmp_path) == ["1.png", "2.png"]


def test_pictures_that_are_there_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "00007.png").write_bytes(b"mine")
    with pytest.raises(SinkError, match=r"expected a folder without pictures of such names, got '00007.png' in it"):
        emit.open(tmp_path, SETTINGS)
    assert names(tmp_path) == ["00007.png"]


def test_a_picture_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    sink = emit.open(tmp_path, SETTINGS)
    for number in range(3):
        sink.write(frame_of(number))
    (tmp_path / "00002.png").write_bytes(b"mine")
    with pytest.raises(SinkError, match="file exists"):
        sink.finish()
    sink.discard()
    assert names(tmp_path) == ["00002.png"]
    assert (tmp_path / "00002.png").read_bytes() == b"mine"


@pytest.mark.parametrize("target", ["out.png", "pictures", "%03d.png"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, target: str) -> None:
    with pytest.raises(KeyboardInterrupt), emit.open(tmp_path / target, SETTINGS) as sink:
        sink.write(frame_of(0))
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("target", ["out.png", "pictures", "%03d.png"])
def test_no_frame_is_refused(tmp_path: Path, target: str) -> None:
    with pytest.raises(SinkError, match="picture to write, got none"):
        write(tmp_path / target, 0)
    assert names(tmp_path) == []


def png_texts(data: bytes) -> dict[str, str]:
    texts, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        if kind in (b"tEXt", b"iTXt"):
            key, value = body.split(b"\0", 1)
            texts[key.decode()] = value.lstrip(b"\0").decode()
        at += 12 + length
    return texts


def test_png_says_that_it_is_synthetic(tmp_path: Path) -> None:
    write(tmp_path / "out.png", 1)
    texts = png_texts((tmp_path / "out.png").read_bytes())
    assert texts["comment"].startswith("synthetic media, made with mien")
    assert texts["mien_model"] == "warp"
    assert texts["name"] == "Zoë"


def test_jpeg_says_that_it_is_synthetic(tmp_path: Path) -> None:
    write(tmp_path / "out.jpg", 1)
    data = (tmp_path / "out.jpg").read_bytes()
    assert b"\xff\xfe" in data[:400]
    assert b"comment: synthetic media, made with mien" in data
    assert b"mien_model: warp" in data


def test_folder_of_a_path_with_a_final_slash(tmp_path: Path) -> None:
    with emit.open(f"{tmp_path}/new{os.sep}", SETTINGS) as sink:
        sink.write(frame_of(0))
    assert names(tmp_path / "new") == ["00001.png"]


def test_nothing_but_the_folder_itself_is_written_in(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with emit.open(tmp_path / "there", SETTINGS) as sink:
        sink.write(frame_of(0))
        assert names(tmp_path) == ["there"]
    assert names(tmp_path / "there") == ["00001.png"]


def test_a_link_to_a_folder_that_is_not_there_yet_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new")
    write(tmp_path / "link", 2)
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "new") == ["00001.png", "00002.png"]
    assert names(tmp_path) == ["link", "new"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_disk_that_knows_no_links(tmp_path: Path, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    sink = emit.open(tmp_path, SETTINGS)
    for number in range(3):
        sink.write(frame_of(number))
    if taken:
        (tmp_path / "00003.png").write_bytes(b"mine")
        with pytest.raises(SinkError, match="file exists"):
            sink.finish()
        sink.discard()
        assert (tmp_path / "00003.png").read_bytes() == b"mine"
    else:
        sink.finish()
    assert names(tmp_path) == (["00003.png"] if taken else [f"{number:05d}.png" for number in (1, 2, 3)])


def test_an_interrupt_while_pictures_are_moved_takes_them_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = os.link

    def link(source: Path, target: Path) -> None:
        linked(source, target)
        if target.name == "00002.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyboardInterrupt), emit.open(tmp_path, SETTINGS) as sink:
        for number in range(3):
            sink.write(frame_of(number))
    assert names(tmp_path) == []


def test_the_trial_of_a_name_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """A file that a umask closes to its owner could not be opened again."""
    with emit.open(tmp_path / "made", SETTINGS) as sink:
        (hidden,) = tmp_path.iterdir()
        assert names(hidden) == []
        sink.write(frame_of(0))
    assert names(tmp_path / "made") == ["00001.png"]


def test_names_that_are_too_long_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="file name too long"):
        emit.open(tmp_path / f"{'x' * 250}%04d.png", SETTINGS)
    assert names(tmp_path) == []


def test_a_picture_goes_into_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.png")
    got: list[bytes] = []
    reader = Thread(target=lambda: got.append((tmp_path / "out.png").read_bytes()))
    reader.start()
    write(tmp_path / "out.png", 1)
    reader.join(10)
    assert got[0].startswith(b"\x89PNG")
    assert names(tmp_path) == ["out.png"]
