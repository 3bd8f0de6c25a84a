"""Standard streams that are closed, full, or read by nobody any more."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import av
import pytest
from tests.engine.processes import LIMIT, SMALL, begun, command

from mien.machine.streams import warnings_told

TALKATIVE = [("--version",), ("reenact", "--help"), ("samples",), ("models", "list"), ("bench", "--help")]


def ended(arguments: tuple[str, ...], how: str) -> tuple[int, str]:
    """Exit code and standard error of a command that a shell runs with its streams turned elsewhere."""
    script = f'"$@" {how}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command(*arguments)], capture_output=True, text=True, timeout=LIMIT
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", TALKATIVE, ids=" ".join)
def test_whoever_reads_no_more_ends_a_command_quietly(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command(*arguments), stdout=write, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("how", "reason"), [("> /dev/full", "no space left on device"), (">&-", "bad file descriptor")]
)
@pytest.mark.parametrize("arguments", TALKATIVE[:3:2], ids=" ".join)
def test_output_that_is_lost_is_told(arguments: tuple[str, ...], how: str, reason: str) -> None:
    code, said = ended(arguments, how)
    assert code == 2
    assert said.startswith("mien: standard output")
    assert reason in said
    assert said.count("\n") == 1


def test_without_streams_a_command_does_its_work(tmp_path: Path) -> None:
    code, _ = ended(
        (*SMALL[:-1], "--driver", "sample:driver", "--duration", "0.2", "--output", f"{tmp_path}/o.mp4"), "<&- >&- 2>&-"
    )
    assert code == 0
    with av.open(str(tmp_path / "o.mp4")) as made:
        assert len(list(made.decode(video=0))) == 5


def test_a_stream_to_a_closed_standard_output_is_refused() -> None:
    code, said = ended((*SMALL, "--driver", "sample:driver", "--output", "-"), ">&-")
    assert code == 2
    assert "expected somebody to stream to, got an error (bad file descriptor)" in said


def test_a_render_ends_when_nobody_reads_it(tmp_path: Path) -> None:
    with begun([*SMALL, "--driver", "sample:driver", "--output", "-"], tmp_path) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 2000)
        process.stdout.close()
        assert process.wait(LIMIT) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_live_run_ends_when_nobody_reads_it_and_what_it_recorded_is_whole(tmp_path: Path) -> None:
    given = ["--camera", "sample:driver", "--loop", "--output", "/dev/stdout", "--record", "me.mp4"]
    with begun(["live", *SMALL[1:], *given], tmp_path) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 2000)
        process.stdout.close()
        assert process.wait(LIMIT) == 141
    assert [path.name for path in tmp_path.iterdir()] == ["me.mp4"]
    with av.open(str(tmp_path / "me.mp4")) as made:
        assert next(made.decode(video=0)) is not None


def test_a_stream_into_a_file_of_the_shell_is_whole(tmp_path: Path) -> None:
    given = ("--driver", "sample:driver", "--duration", "0.4", "--output", "/dev/stdout", "--json", "/dev/stderr")
    code, said = ended((*SMALL, *given), f"> '{tmp_path}/o.ts'")
    assert code == 0
    assert said.startswith("{")
    with av.open(str(tmp_path / "o.ts")) as made:
        assert len(list(made.decode(video=0))) == 10


def test_warnings_are_lines_of_ours_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings_told(debug=False):
        for _ in range(2):
            logging.getLogger("mien.runtime.cache").warning("%s cannot be kept", "it")
            logging.getLogger("matplotlib").warning("chatter of a library")
        logging.getLogger("mien.runtime").info("not asked for")
    assert capsys.readouterr().err == "mien: it cannot be kept\n"
