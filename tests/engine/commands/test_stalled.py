"""Outputs whose reader has stalled: neither the end of a run nor a signal waits for it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.processes import LIMIT, SMALL, begun

pytestmark = pytest.mark.usefixtures("one_stack")

DRIVER = "sample:driver"
LIVE = ("live", "sample:mira", "--model", "warp", "--size", "128", "--quiet", "--loop", "--camera", DRIVER)
REENACT = (*SMALL, "--driver", DRIVER)
LEAST = 4096
"""Bytes that a pipe holds at least."""


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[int]:
    """The pipe `f`, that is open to be read, and is not."""
    os.mkfifo(tmp_path / "f")
    held = os.open(tmp_path / "f", os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(held, fcntl.F_SETPIPE_SZ, LEAST)
    yield held
    os.close(held)


def wait_until_full(held: int, process: subprocess.Popen[str]) -> None:
    """Until whoever writes has to wait."""
    end = time.monotonic() + LIMIT
    while select.select([], [held], [], 0)[1]:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def fill(held: int) -> None:
    while select.select([], [held], [], 0)[1]:
        os.write(held, bytes(LEAST))


@pytest.mark.parametrize(("how", "output"), [("path", "f"), ("standard output", "-")])
def test_a_signal_ends_a_live_stream(tmp_path: Path, pipe: int, how: str, output: str) -> None:
    stdout = subprocess.PIPE if how == "path" else pipe
    with begun([*LIVE, "--output", output], tmp_path, stdout=stdout) as process:
        wait_until_full(pipe, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert said.endswith("the end of the stream was not delivered\n")
    assert said.count("\n") == 1


def test_a_signal_ends_what_waits_for_its_reader(tmp_path: Path, pipe: int) -> None:
    with begun([*REENACT, "--output", "f"], tmp_path) as process:
        wait_until_full(pipe, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 143
    assert said.endswith("; no partial file was left\n")
    assert said.count("\n") == 1


def test_its_duration_ends_a_live_run(tmp_path: Path, pipe: int) -> None:
    fill(pipe)
    command = [*LIVE, "--duration", "0.5", "--output", "null", "--json", "f"]
    with begun(command, tmp_path) as process:
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert said == "mien: f: expected its reader to take the output, got one that does not; it was not delivered\n"


def test_a_signal_ends_the_wait_for_a_reader_of_statistics(tmp_path: Path, pipe: int) -> None:
    fill(pipe)
    command = [*REENACT, "--duration", "0.04", "--output", "o.png", "--json", "f"]
    with begun(command, tmp_path) as process:
        end = time.monotonic() + LIMIT
        while not (tmp_path / "o.png").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 143
    assert said == "mien: ended by SIGTERM; no partial file was left\n"


def test_messages_that_nobody_takes_hold_nothing_up(tmp_path: Path, pipe: int) -> None:
    fill(pipe)
    with begun([*REENACT, "--duration", "0.04", "--output", "o.png", "--face", "15"], tmp_path, stderr=pipe) as process:
        assert process.wait(LIMIT) == 2
