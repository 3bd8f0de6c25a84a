"""mien's own key where its folder is unusual: closed, not a folder, or on a file system without hard links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mien.credentials.identity import FILE, PUBLIC, own
from mien.errors import SettingError
from mien.machine.folders import user_credentials


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    return home


def test_a_home_that_is_no_folder_costs_only_the_keeping_of_the_key(home: Path) -> None:
    home.write_bytes(b"")
    assert own().chain == own().chain
    assert home.read_bytes() == b""


def test_a_home_that_may_not_be_entered_costs_only_the_keeping_of_the_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(self: Path, *arguments: object, **named: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    for name in ("read_bytes", "stat", "mkdir"):  # the user of the tests may be one who may enter everything
        monkeypatch.setattr(Path, name, closed)
    assert own().chain == own().chain


def test_a_key_that_is_there_and_may_not_be_read_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own()

    def closed(self: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(SettingError, match="expected mien's own key, got an error"):
        own()


def test_without_hard_links_the_key_stays_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(source: object, target: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuses)
    first = own()
    folder = user_credentials()
    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == [PUBLIC, FILE]
    assert own().chain == first.chain
