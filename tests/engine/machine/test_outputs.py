"""Places of outputs, looked at before the work."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from mien.errors import ReaderGone, SinkError
from mien.machine.outputs import as_sink_errors, identity, need_file, need_file_place, write


def refusal(path: Path) -> str:
    with pytest.raises(SinkError) as caught:
        need_file_place(path, str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_can_be_written_is_let_through_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "dangling").symlink_to("not-yet")
    os.mkfifo(tmp_path / "pipe")
    for name in ("old", "new", "dangling", "pipe", "x" * 255):
        need_file_place(tmp_path / name, name)
    need_file_place(Path("/dev/null"), "/dev/null")
    assert (tmp_path / "old").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "old", "pipe"]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "astray").symlink_to("none/file")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        reasons = {
            tmp_path: "got a folder",
            tmp_path / "none/a": "to exist, got none; create it first",
            tmp_path / "file/a": "to be a folder, got a file",
            tmp_path / ("x" * 256): "file name too long",
            tmp_path / "loop": "too many levels of symbolic links",
            tmp_path / "astray": "to exist, got none; create it first",
            tmp_path / "a\0b": "null",
            tmp_path / "socket": "got a socket",
            Path("/dev/fd/9999"): "bad file descriptor",
        }
        for path, reason in reasons.items():
            assert reason in refusal(path)


def test_a_file_that_is_closed_to_writing_is_refused(tmp_path: Path) -> None:
    """By its mode, or for root, whom that does not stop, by being a program that runs."""
    path = tmp_path / "sleep"
    path.write_bytes(Path("/bin/sleep").read_bytes())
    path.chmod(0o555)
    running = subprocess.Popen([path, "60"])
    try:
        assert "expected to be able to write" in refusal(path)
    finally:
        running.kill()
        running.wait()


def test_a_video_wants_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mp4")
    with pytest.raises(SinkError, match="expected a regular file, got a device or pipe"):
        need_file(tmp_path / "out.mp4", "out.mp4")


def test_names_of_one_output_are_one(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("d")
    os.link(tmp_path / "a", tmp_path / "same")
    assert identity(tmp_path / "a") == identity(tmp_path / "b") == identity(tmp_path / "same")
    assert identity(tmp_path / "c") == identity(tmp_path / "d") != identity(tmp_path / "e")
    assert identity("-") == identity("/dev/stdout") == identity("/proc/self/fd/1")
    assert identity("/dev/null") is None


def test_a_reader_that_has_gone_is_told_apart(tmp_path: Path) -> None:
    out, into = os.pipe()
    os.close(out)
    with pytest.raises(ReaderGone):
        write(Path(f"/dev/fd/{into}"), b"text")
    os.close(into)
    with pytest.raises(SinkError, match="expected room for the output, got none"):
        write(Path("/dev/full"), b"text")
    with pytest.raises(SinkError, match="no such file or directory"), as_sink_errors("a.json"):
        (tmp_path / "none" / "a.json").write_text("")


def test_a_pipe_without_a_reader_is_told_where_nobody_will_wait_for_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match="nobody reads the pipe"):
        write(pipe, b"statistics", patience=0)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, b"statistics", patience=0)
        assert os.read(reader, 100) == b"statistics"
    finally:
        os.close(reader)
