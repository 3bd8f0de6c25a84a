from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.bundles import fetching
from mien.bundles.fetching import unpack
from mien.errors import ModelError

Entries = list[tuple[str, bytes]]
PLAIN: Entries = [("tiny/manifest.toml", b"format = 1"), ("tiny/generator.onnx", bytes(3000)), ("tiny/deep/note", b"")]


def zipped(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def tarred_with(path: Path, *entries: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for entry in entries:
            made.addfile(entry)
    return path


def tarred(path: Path, entries: Entries) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o6777
            made.addfile(entry, io.BytesIO(content))
    return path


MAKERS = pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar.gz"])
Maker = Callable[[Path, Entries], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (place := tmp_path / "a/b/out").mkdir(parents=True)
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@MAKERS
def test_files_come_out_as_they_went_in(make: Maker, tmp_path: Path, folder: Path) -> None:
    unpack(make(tmp_path / "bundle", PLAIN), folder)
    assert contents(folder) == dict(PLAIN)
    assert not any(path.stat().st_mode & 0o7111 for path in folder.rglob("*") if path.is_file())


@MAKERS
@pytest.mark.parametrize(
    "name", ["../evil", "tiny/../../evil", "/tmp/evil", "tiny\\..\\evil", "C:evil", "..", "tiny/..", "./../evil"]
)
def test_paths_that_lead_out_are_refused(make: Maker, name: str, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="got a path that leads out of its folder"):
        unpack(make(tmp_path / "bundle", [*PLAIN, (name, b"evil")]), folder)
    assert "evil" not in {path.name for path in tmp_path.rglob("*")}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path, folder: Path) -> None:
    entry = tarfile.TarInfo("generator.onnx")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(ModelError, match=r"got a link or device: 'generator.onnx'"):
        unpack(tarred_with(tmp_path / "bundle.tar.gz", entry), folder)
    assert not list(folder.iterdir())


def test_links_in_a_zip_are_refused(tmp_path: Path, folder: Path) -> None:
    entry = zipfile.ZipInfo("generator.onnx")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as made:
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match=r"got a link or device: 'generator.onnx'"):
        unpack(tmp_path / "bundle.zip", folder)
    assert not list(folder.iterdir())


@MAKERS
def test_too_many_files_are_refused(make: Maker, tmp_path: Path, folder: Path) -> None:
    many = [(f"file{number}", b"x") for number in range(fetching.MOST_FILES + 1)]
    with pytest.raises(ModelError, match="expected at most 64 files, got more"):
        unpack(make(tmp_path / "bundle", many), folder)


@MAKERS
def test_what_swells_is_refused_while_it_does(
    make: Maker, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_UNPACKED", 4 << 20)
    bomb = make(tmp_path / "bundle", [("zeros", bytes(3 << 20)), ("more", bytes(3 << 20))])
    assert bomb.stat().st_size < 1 << 16
    with pytest.raises(ModelError, match=r"expected at most 4194304 bytes unpacked, got more"):
        unpack(bomb, folder)
    assert sum(map(len, contents(folder).values())) <= 4 << 20


@MAKERS
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_name_that_comes_twice_is_refused(make: Maker, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="got a name that comes twice: 'x'"):
        unpack(make(tmp_path / "bundle", [("x", b"1"), ("x", b"2")]), folder)


@MAKERS
def test_broken_archives_are_told(make: Maker, tmp_path: Path, folder: Path) -> None:
    path = make(tmp_path / "bundle", [("noise", bytes(i * i % 251 for i in range(9000))), *PLAIN])
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"bundle: expected (a whole archive|a \.zip or \.tar\.gz)"):
            unpack(path, folder / str(length))


def test_other_files_are_told(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"PK no zip")
    with pytest.raises(ModelError, match=r"expected a \.zip or \.tar\.gz with a model bundle, got something else"):
        unpack(tmp_path / "bundle.zip", folder)
