"""A user's own folders, also of a user who has none."""

from __future__ import annotations

import errno
import logging
import pwd
import tempfile
from pathlib import Path

import pytest

from mien import cli
from mien.bundles import installed_bundles
from mien.errors import SettingError
from mien.machine import folders
from mien.machine.folders import temporary_folder, user_cache, user_models
from mien.runtime.cache import Cache


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def homeless(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a number which the system does not know."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_folders_lie_in_the_home_or_where_the_environment_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (user_cache(), user_models()) == (home / ".cache/mien", home / ".local/share/mien/models")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert (user_cache(), user_models()) == (Path("/elsewhere/mien"), home / ".local/share/mien/models")


@pytest.mark.usefixtures("homeless")
def test_without_a_home_nothing_is_kept_and_all_else_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    assert (user_cache(), user_models()) == (None, None)
    assert all(place.packaged for place in installed_bundles())
    cache = Cache()
    with caplog.at_level(logging.WARNING):
        assert cache.read("a") is None
        assert cache.place("b") is None
        assert not cache.write("a", b"kept")
        assert not cache.write("c", b"kept")
    assert len({record.getMessage() for record in caplog.records}) == 1
    assert "there is no home folder" in caplog.text


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_model_is_not_added(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0
    assert cli.main(["models", "add", "nowhere"]) == 2
    assert "expected a home folder to keep them in, got none" in capsys.readouterr().err


def test_a_home_that_is_somebody_elses_stops_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = home / "closed"
    closed.write_text("in the way of every folder in it, also for root")
    monkeypatch.setenv("HOME", str(closed))
    assert all(place.packaged for place in installed_bundles())
    assert not Cache().write("a", b"kept")
    assert Cache().place("a") is None


def test_a_temporary_folder_is_in_memory_where_no_disk_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tempfile.mkdtemp

    def none_usable(prefix: str, dir: str | None) -> str:
        if dir is None:
            raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']")
        return made(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", none_usable)
    monkeypatch.setattr(folders, "_MEMORY", str(tmp_path))
    with temporary_folder("TMPDIR names one") as folder:
        assert folder.parent == tmp_path
        (folder / "file").write_bytes(b"")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(folders, "_MEMORY", str(tmp_path / "none"))
    with pytest.raises(SettingError, match=r"expected a folder for temporary files, got none .*; TMPDIR names one"):
        temporary_folder("TMPDIR names one").__enter__()
