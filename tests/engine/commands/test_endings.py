"""Commands that wait while they start: one signal ends them in order."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.processes import LIMIT, SMALL, begun

pytestmark = pytest.mark.usefixtures("one_stack")

REENACT = (*SMALL, "--output", "out.mp4", "--driver")
LIVE = ("live", "sample:mira", "--model", "warp", "--size", "128", "--quiet", "--output", "null", "--camera")
EMPTY = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 200
"""Packets of MPEG-TS without content, less than is read to learn what is in a stream."""


@contextlib.contextmanager
def writing(path: Path, process: subprocess.Popen[str]) -> Iterator[int]:
    """A pipe that the process has opened to read, without anything in it."""
    end, writer = time.monotonic() + LIMIT, None
    while writer is None:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        try:
            writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads it yet
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
    try:
        yield writer
    finally:
        os.close(writer)


def read_all(writer: int, process: subprocess.Popen[str]) -> None:
    """Wait until the process has read whatever lies in the pipe."""
    left = array.array("i", [1])
    while left[0]:
        assert process.poll() is None
        fcntl.ioctl(writer, termios.FIONREAD, left)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)


def need_ended(process: subprocess.Popen[str], number: signal.Signals, code: int, folder: Path, *left: str) -> str:
    """Send one signal; what was said, once it has ended as it should, and left nothing."""
    process.send_signal(number)
    _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert [path.name for path in folder.iterdir()] == [*left]
    return said


@pytest.mark.parametrize(
    ("command", "number", "written"),
    [
        (REENACT, signal.SIGTERM, b""),
        (REENACT, signal.SIGINT, EMPTY),
        (LIVE, signal.SIGHUP, EMPTY),
    ],
)
def test_a_pipe_whose_writer_is_silent(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals, written: bytes
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with begun([*command, "pipe"], tmp_path) as process, writing(tmp_path / "pipe", process) as writer:
        os.write(writer, written)
        read_all(writer, process)
        said = need_ended(process, number, 128 + number, tmp_path, "pipe")
        assert said.endswith("; no partial file was left\n")


def test_a_standard_input_that_is_silent(tmp_path: Path) -> None:
    with begun([*REENACT, "-"], tmp_path, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        os.write(process.stdin.fileno(), EMPTY)
        read_all(process.stdin.fileno(), process)
        need_ended(process, signal.SIGTERM, 143, tmp_path)


@pytest.mark.parametrize(("scheme", "number"), [("tcp", signal.SIGTERM), ("http", signal.SIGHUP)])
def test_a_driver_at_an_address_that_is_silent(tmp_path: Path, scheme: str, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(LIMIT)
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x"
        with begun([*REENACT, address], tmp_path) as process:
            connection, _ = silent.accept()
            with connection:
                need_ended(process, number, 128 + number, tmp_path)


def test_a_server_that_loads_its_model_is_not_waited_for(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with begun(["serve", "--port", "0"], tmp_path, env={**os.environ, "XDG_CACHE_HOME": str(cache)}) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("mien serve: http://")
        process.send_signal(signal.SIGTERM)
        told, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert told == "", "it is not ready any more"
    assert "measuring" not in said
    assert "a frame costs" not in said
    assert "Traceback" not in said


def test_a_certificate_that_nobody_writes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cert")
    os.mkfifo(tmp_path / "key")
    command = ["serve", "--port", "0", "--cert", "cert", "--key", "key"]
    with begun(command, tmp_path) as process, writing(tmp_path / "cert", process):
        process.send_signal(signal.SIGTERM)
        told, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, said
    assert (told, said) == ("", "")
