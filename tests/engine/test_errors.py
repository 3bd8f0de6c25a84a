from __future__ import annotations

import os
from pathlib import Path

import pytest

from mien import cli
from mien.errors import without_controls


def test_controls_are_written_out() -> None:
    assert without_controls("a\nb\x1b[2J\x85\u2028é \U0001f600") == r"a\x0ab\x1b[2J\x85\u2028é " + "\U0001f600"


def test_a_refusal_is_one_line_whatever_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["reenact", "no\nsuch.jpg", "--model", "warp", "--driver", "no\rdriver\n.mp4", "--output", "null"]
    assert cli.main(given) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\\x0a" in said


def test_a_working_folder_that_was_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    assert cli.main(["reenact", "sample:mira", "--model", "warp", "--driver", "short.mp4", "--output", "null"]) == 2
    assert "the working folder: expected to be able to use it" in capsys.readouterr().err
