"""Checks of the place before the work starts."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from mien import emit
from mien.emit.opening import need_place
from mien.emit.sink import NullSink, SinkSettings
from mien.errors import SinkError

SETTINGS = SinkSettings(96, 64, Fraction(25), Fraction(1, 25))


def refusal(target: str | Path) -> str:
    with pytest.raises(SinkError) as caught:
        emit.open(target, SETTINGS)
    line = str(caught.value)
    assert "\n" not in line
    assert str(target) in line
    return line


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.png", "%05d.png", "pictures"])
def test_folder_that_does_not_exist(tmp_path: Path, name: str) -> None:
    assert "to exist, got none; create it first" in refusal(tmp_path / "missing" / name)


@pytest.mark.parametrize("name", [".mp4", ".WEBM", ".png"])
def test_an_ending_alone_is_no_name(tmp_path: Path, name: str) -> None:
    assert "expected a name before the ending" in refusal(tmp_path / name)
    with pytest.raises(SinkError, match="expected a name before the ending"):
        need_place(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.mp4", "out.png", "%05d.png", "pictures"])
def test_folder_that_is_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert "to be a folder, got a file" in refusal(tmp_path / "file" / name)


@pytest.mark.parametrize("name", ["out.mp4", "out.png", "%05d.png", "pictures"])
def test_folder_that_may_not_be_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may write anywhere
    assert "change its permissions" in refusal(tmp_path / name)


def test_target_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    assert "expected a file's name, got a folder" in refusal(tmp_path / "out.mp4")


def test_target_that_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mp4")
    assert "expected a regular file, got a device or pipe" in refusal(tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["out.avi", "out.txt", "%05d.webp"])
def test_unknown_ending(tmp_path: Path, name: str) -> None:
    assert "change the ending" in refusal(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["%999999999d.png", "%05d%05d.png"])
def test_a_pattern_of_impossible_names(tmp_path: Path, name: str) -> None:
    assert "expected one number of a few digits" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["https://host/x.mp4", "file:///tmp/x.mp4", "whip://host/x"])
def test_an_address_of_another_scheme(name: str) -> None:
    with pytest.raises(SinkError, match="expected an address with one of rtmp, "):
        need_place(name)
    need_place("rtmp://host/app/key")


def test_null() -> None:
    assert isinstance(emit.open("null", SETTINGS, mark=False), NullSink)


def test_endings_in_capitals(tmp_path: Path) -> None:
    emit.open(tmp_path / "OUT.MP4", SETTINGS).discard()


def test_name_with_a_colon(tmp_path: Path) -> None:
    emit.open(tmp_path / "tcp:a.mp4", SETTINGS).discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".mp4", ".PNG", "sub/.webm", ".jpg/"])
def test_an_ending_without_a_name_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    assert "expected a name before the ending, got none" in refusal(name)
    assert [path.name for path in tmp_path.rglob("*")] == ["sub"]
