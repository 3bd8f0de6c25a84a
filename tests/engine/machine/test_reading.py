from __future__ import annotations

import os
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.machine.atomic import written
from mien.machine.reading import read_regular
from mien.manifest import read_manifest


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "file") == b"content"
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"regular file|directory"):
            read_regular(path)


def test_a_manifest_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.toml")
    with pytest.raises(ModelError):
        read_manifest(tmp_path)


def test_a_folder_may_be_renamed_while_a_file_in_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "before").mkdir()
    monkeypatch.chdir(tmp_path / "before")
    with written(Path("out")) as file:
        os.rename(tmp_path / "before", tmp_path / "after")
        file.write(b"content")
    with pytest.raises(KeyError), written(Path("other")):
        os.rename(tmp_path / "after", tmp_path / "before")
        raise KeyError
    assert [path.name for path in (tmp_path / "before").iterdir()] == ["out"]
