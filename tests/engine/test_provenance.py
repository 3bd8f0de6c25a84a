from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import mien
from mien import provenance
from mien.config import WARP, Gains, MotionSettings, ReenactSettings
from mien.provenance import hash_file, hash_settings, record


def test_record_holds_hashes_of_each_picture(tmp_path: Path) -> None:
    pictures = (tmp_path / "a", tmp_path / "b")
    for path in pictures:
        path.write_bytes(path.name.encode())
    metadata = record(pictures, ReenactSettings(model=WARP), "1.2.3").as_metadata()
    assert metadata["mien_version"] == "1.2.3"
    assert metadata["mien_model"] == "warp"
    assert metadata["mien_portrait_sha256"].split() == [hashlib.sha256(name).hexdigest() for name in (b"a", b"b")]


def test_a_copy_that_was_not_installed_has_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", not_found)
    monkeypatch.setattr("mien.provenance.version", not_found, raising=False)
    assert provenance.own_version() == mien.__version__ == "of a source tree"
    asking = [path for path in Path(mien.__file__).parent.rglob("*.py") if 'version("mien")' in path.read_text()]
    assert asking == [Path(provenance.__file__)], "the others ask it"


def test_large_files_are_hashed_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"mien" * 1_000_000)
    assert hash_file(path) == hashlib.sha256(b"mien" * 1_000_000).hexdigest()


def test_settings_hash_tells_what_changes_pixels_from_what_does_not() -> None:
    plain = ReenactSettings()
    assert hash_settings(plain) == hash_settings(ReenactSettings())
    assert hash_settings(plain) == hash_settings(replace(plain, threads=2))
    assert hash_settings(plain) != hash_settings(replace(plain, smooth=0.0))
    assert hash_settings(plain) != hash_settings(replace(plain, motion=MotionSettings(gains=Gains(brows=0.5))))
