from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from mien import cli
from mien.errors import without_controls


def test_controls_are_written_out() -> None:
    assert without_controls("a\nb\x1b[2J\x85\u2028é \U0001f600") == r"a\x0ab\x1b[2J\x85\u2028é " + "\U0001f600"


@pytest.mark.parametrize("driver", ["closed/fr/%05d.png", "closed/fr/*.png", "closed/fr", "closed/clip.mp4"])
def test_a_missing_permission_is_cured_by_giving_it(
    tmp_path: Path, driver: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = os.stat

    def closed(path: int | str | os.PathLike[str], **more: Any) -> os.stat_result:
        """As it is for whoever is not root, as these tests may be."""
        if "closed" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return plain(path, **more)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "stat", closed)
    assert cli.main(["reenact", "me.jpg", "--model", "warp", "--driver", driver, "--output", "null"]) == 2
    assert capsys.readouterr().err.endswith("change its permissions\n")


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
