from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mien import bundles
from mien.bundles import find, installed_bundles
from mien.bundles.installing import add, remove
from mien.errors import ModelError
from mien.manifest import MANIFEST, Bundle, read_bundle
from mien.provenance import hash_file


def silent(done: int, total: int | None) -> None:
    raise AssertionError("nothing is downloaded")


def as_folder(bundle: Bundle, flat: bool) -> Path:
    return bundle.folder


def as_zip(bundle: Bundle, flat: bool) -> Path:
    return _archived(bundle, "zip", flat)


def as_tar(bundle: Bundle, flat: bool) -> Path:
    return _archived(bundle, "gztar", flat)


def _archived(bundle: Bundle, kind: str, flat: bool) -> Path:
    root, base = (bundle.folder, ".") if flat else (bundle.folder.parent, bundle.folder.name)
    return Path(shutil.make_archive(str(bundle.folder.parent / "packed"), kind, root, base))


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_tar])
@pytest.mark.parametrize("flat", [True, False])
def test_a_bundle_is_added_found_and_removed(
    bundle: Bundle, models: Path, pack: Callable[[Bundle, bool], Path], flat: bool
) -> None:
    (bundle.folder / "LICENSE").write_text("all rights to all")
    (bundle.folder / "plugin.so").write_bytes(b"\x7fELF")
    added = add(str(pack(bundle, flat)), None, silent)
    assert added.folder == models / "tiny" == find("tiny")
    assert read_bundle(added.folder).digest == bundle.digest
    kept = {MANIFEST, "LICENSE", *(graph.path.name for graph in bundle.graphs)}
    assert set(names(added.folder)) == kept
    assert [(place.name, place.packaged) for place in installed_bundles() if place.name == "tiny"] == [("tiny", False)]
    assert names(models) == ["tiny"]
    assert remove("tiny") == models / "tiny"
    assert names(models) == []


def test_a_hash_that_does_not_fit_is_refused(bundle: Bundle, models: Path) -> None:
    path = as_zip(bundle, True)
    with pytest.raises(ModelError, match=rf"expected sha256 {'0' * 64}, got {hash_file(path)}"):
        add(str(path), "0" * 64, silent)
    assert names(models) == []
    assert add(str(path), hash_file(path).upper(), silent).name == "tiny"


def test_a_folder_has_no_hash(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="--sha256 is for archives, got a folder"):
        add(str(bundle.folder), "0" * 64, silent)


def spoil_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("format = 1")


def spoil_graph(folder: Path) -> None:
    (folder / "generator.fp32.onnx").write_bytes(b"no graph")


def lose_graph(folder: Path) -> None:
    (folder / "generator.fp32.onnx").unlink()


def lose_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize("pack", [as_folder, as_zip])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_manifest, "expected the key"),
        (spoil_graph, "expected sha256"),
        (lose_graph, "expected the file that the manifest names"),
        (lose_manifest, r"expected a model bundle with a manifest\.toml"),
    ],
)
def test_a_broken_bundle_is_refused_and_leaves_nothing(
    bundle: Bundle,
    models: Path,
    pack: Callable[[Bundle, bool], Path],
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    spoil(bundle.folder)
    with pytest.raises(ModelError, match=reason):
        add(str(pack(bundle, True)), None, silent)
    assert names(models) == []


def test_nothing_there_is_told(models: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"nowhere\.zip: expected a model bundle \(folder, \.zip or \.tar\.gz\), got none"
    ):
        add(str(tmp_path / "nowhere.zip"), None, silent)
    assert names(models) == []


def test_a_name_that_is_taken_is_refused(bundle: Bundle, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(str(bundle.folder), None, silent)
    with pytest.raises(ModelError, match=r"expected a name that is free, .* mien models remove tiny first"):
        add(str(bundle.folder), None, silent)
    remove("tiny")
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    with pytest.raises(ModelError, match=r"expected a name that is free, .*; use the other by its path"):
        add(str(bundle.folder), None, silent)


def test_only_what_was_added_is_removed(bundle: Bundle, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / ".." / "other").mkdir(parents=True)
    shutil.copy(bundle.folder / MANIFEST, models / ".." / "other")
    for name in ("tiny", "../other", "", ".", str(bundle.folder)):
        with pytest.raises(ModelError, match="there is none of that name; see mien models list"):
            remove(name)
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    with pytest.raises(ModelError, match="it comes with mien"):
        remove("tiny")
    assert (bundle.folder / MANIFEST).is_file()


def test_a_packaged_bundle_goes_before_the_users(bundle: Bundle, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(str(bundle.folder), None, silent)
    assert find("tiny") == models / "tiny"
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    assert find("tiny") == bundle.folder
    assert [place.folder for place in installed_bundles()] == [bundle.folder]


def test_a_bundle_is_found_by_its_path(bundle: Bundle) -> None:
    assert find(str(bundle.folder)) == bundle.folder
    assert find(str(bundle.folder / MANIFEST)) == bundle.folder
    with pytest.raises(ModelError, match=r"model fable: expected one that is here .*mien models add PATH\|URL"):
        find("fable")


def test_a_place_that_cannot_be_written_is_told(bundle: Bundle, models: Path) -> None:
    models.parent.mkdir(parents=True)
    models.write_text("in the way")
    with pytest.raises(ModelError, match=r"expected to be able to write there, got (not a directory|file exists)"):
        add(str(bundle.folder), None, silent)


def test_an_interrupt_leaves_nothing(bundle: Bundle, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(str(bundle.folder), None, silent)
    assert names(models) == []


@pytest.mark.parametrize("name", ["m", "m.zip"])
def test_a_bundle_in_a_closed_folder_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    closed, stat = tmp_path / "closed" / name, os.stat

    def forbidden(path: Any, **options: Any) -> os.stat_result:  # root may look anywhere
        if str(path) == str(closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", forbidden)
    with pytest.raises(ModelError, match=r"error \(permission denied\); check its permissions"):
        add(str(closed), None, silent)
