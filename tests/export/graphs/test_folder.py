from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import ModelError, SinkError
from mien.manifest import MANIFEST
from mien_export.graphs.writing import replaced


def fill(folder: Path, word: str) -> None:
    (folder / MANIFEST).write_text(word)


def test_it_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "models" / "one"
    with replaced(out) as folder:
        fill(folder, "new")
        assert not out.exists()
    assert (out / MANIFEST).read_text() == "new"
    assert [path.name for path in out.parent.iterdir()] == ["one"]


def test_a_bundle_gives_way_to_the_next(tmp_path: Path) -> None:
    out = tmp_path / "one"
    for word in ("old", "new"):
        with replaced(out) as folder:
            fill(folder, word)
            (folder / word).touch()
    assert sorted(path.name for path in out.iterdir()) == [MANIFEST, "new"]
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "one"
    with replaced(out) as folder:
        fill(folder, "old")
    with pytest.raises(ModelError, match="halfway"), replaced(out) as folder:
        fill(folder, "new")
        raise ModelError("halfway")
    assert (out / MANIFEST).read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_is_no_bundle_is_not_touched(tmp_path: Path, is_folder: bool) -> None:
    out = tmp_path / "thesis"
    if is_folder:
        out.mkdir()
    precious = out / "chapter1.tex" if is_folder else out
    precious.write_text("Introduction")
    with pytest.raises(SinkError, match="expected a model bundle or nothing there"), replaced(out):
        pass
    assert precious.read_text() == "Introduction"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be written"), replaced(tmp_path / "file" / "one"):
        pass
