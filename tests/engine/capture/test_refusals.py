"""One clear line for whatever is no source."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mien import capture
from mien.errors import MienError, SettingError, SourceError
from mien.frame import Frame

MakeClip = Any


def refusal(source: str | Path, **options: float) -> str:
    with pytest.raises(MienError) as caught:
        capture.open(source, **options)  # type: ignore[arg-type]
    line = str(caught.value)
    assert "\n" not in line
    assert str(source) in line
    return line


def test_not_existing(tmp_path: Path) -> None:
    assert "expected a file, got none (no such file or directory)" in refusal(tmp_path / "missing.mp4")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    assert "file name too long" in refusal(tmp_path / ("x" * 300))
    assert "expected pictures that fit this pattern, got none" in refusal(tmp_path / ("x" * 300) / "%04d.png")
    assert "too many levels of symbolic links" in refusal(tmp_path / "loop")
    assert "not a directory" in refusal(tmp_path / "file/clip.mp4")
    assert "null" in refusal(f"{tmp_path}/a\0b.mp4")


@pytest.mark.parametrize("address", ["rtsp://[::1/x", "http://[::1/x", "tcp://[::1:99999999"])
def test_addresses_that_are_none(address: str) -> None:
    assert "expected a stream, got an address that cannot be used" in refusal(address)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read whatever there is")
def test_what_may_not_be_read(tmp_path: Path, plain: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    for path in (tmp_path / "clip.mp4", closed / "clip.mp4"):
        path.write_bytes(plain.read_bytes())
    (tmp_path / "clip.mp4").chmod(0)
    closed.chmod(0)
    try:
        assert "expected a file that may be read" in refusal(tmp_path / "clip.mp4")
        assert "permission denied" in refusal(closed / "clip.mp4")
        assert "permission denied" in refusal(closed)
        assert "change its permissions" in refusal(closed / "%04d.png")
    finally:
        closed.chmod(0o700)


def test_device() -> None:
    assert "expected a file, got a device" in refusal("/dev/null")


def test_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        assert "expected a file, got a socket" in refusal("s")


def test_a_vector_drawing(tmp_path: Path) -> None:
    drawing = tmp_path / "face.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle r="9"/></svg>')
    with pytest.raises(SourceError, match="expected pixels, got a vector drawing; save it as PNG"):
        capture.open(drawing)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert "got an empty file" in refusal(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.png", "notes.bin", "notes", "notes.m3u8"])
def test_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("nothing to see here\n" * 100)
    assert "expected a video or a picture, got" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["noise.mp4", "noise.bin"])
def test_noise(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes((i * 7919 >> 3) % 256 for i in range(20_000)))
    refusal(tmp_path / name)


def test_play_list_opens_no_other_file(tmp_path: Path, plain: Path) -> None:
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:2,\n{plain}\n#EXT-X-ENDLIST\n")
    refusal(tmp_path / "list.m3u8")


def test_sound_only(tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.codec_context.layout = "mono"
        run = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        run.sample_rate = 8000
        container.mux(stream.encode(run))
    assert "expected pictures, got sound only" in refusal(path)


@pytest.mark.parametrize("start", [2.0, 2.5, 100.0])
def test_start_past_the_end(plain: Path, start: float) -> None:
    line = refusal(plain, start=start)
    assert (
        f"expected a start no later than the last picture, at 1.966 s, got {start:g} s; choose an earlier start" in line
    )


def test_the_latest_start_that_is_told_is_taken(plain: Path) -> None:
    with capture.open(plain, start=1.966) as source:
        assert sum(isinstance(item, Frame) for item in source) == 1


NO_SPANS = [("start", -1.0), ("start", float("nan")), ("start", 1e308), ("duration", 0.0), ("duration", -2.0)]


@pytest.mark.parametrize("options", [{name: value} for name, value in [*NO_SPANS, ("duration", 1e-320)]])
def test_spans_that_are_none(plain: Path, options: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="got"):
        capture.open(plain, **options)  # type: ignore[arg-type]


def test_a_folder_is_no_portrait(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected a file, got a folder; name a file in it"):
        capture.image.read(tmp_path)


def test_text_is_no_portrait(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see here\n" * 100)
    with pytest.raises(SourceError, match="expected a video or a picture"):
        capture.image.read(tmp_path / "notes.txt")


def test_importing_the_room_is_cheap() -> None:
    code = "import sys, mien.capture, mien.emit; print('av' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_a_folder_whose_names_alone_may_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001.png").write_bytes(b"a picture")
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.X_OK and may(path, mode))  # root may enter any
    for name in (tmp_path, tmp_path / "%04d.png"):
        assert "expected a folder that may be entered, got another; change its permissions" in refusal(name)
