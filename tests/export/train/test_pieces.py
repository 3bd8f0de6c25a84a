"""Checkpoints in pieces: each is small, all together are the file, and others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError
from mien_export.train.checkpoint import INDEX, join_pieces, write_pieces

MOST = 1000


def bytes_of(seed: int, count: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("count", [1, MOST, 2 * MOST + 1])
def test_pieces_make_the_file(count: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes_of(0, count))
    write_pieces(tmp_path / "a", tmp_path / "pieces", MOST)
    parts = list((tmp_path / "pieces").glob("*.part"))
    assert len(parts) == -(-count // MOST)
    assert max(part.stat().st_size for part in parts) <= MOST
    join_pieces(tmp_path / "pieces", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def test_the_next_checkpoint_takes_the_place_of_the_last(tmp_path: Path) -> None:
    for seed, count in ((0, 3 * MOST), (1, MOST)):
        (tmp_path / "a").write_bytes(bytes_of(seed, count))
        write_pieces(tmp_path / "a", tmp_path / "pieces", MOST)
    assert len(list((tmp_path / "pieces").iterdir())) == 2
    join_pieces(tmp_path / "pieces", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == bytes_of(1, MOST)


def test_pieces_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes_of(0, 2 * MOST))
    write_pieces(tmp_path / "a", tmp_path / "pieces", MOST)
    first, _ = sorted((tmp_path / "pieces").glob("*.part"))
    content = first.read_bytes()
    first.write_bytes(content[::-1])
    with pytest.raises(SettingError, match="expected pieces of one checkpoint, got others"):
        join_pieces(tmp_path / "pieces", tmp_path / "b")
    first.unlink()
    with pytest.raises(SettingError, match=r"cannot be read .* get all pieces"):
        join_pieces(tmp_path / "pieces", tmp_path / "b")
    (tmp_path / "pieces" / INDEX).write_text("{}", encoding="utf-8")
    with pytest.raises(SettingError, match=r"expected a checkpoint in pieces with an index\.json"):
        join_pieces(tmp_path / "pieces", tmp_path / "b")
    assert not list(tmp_path.glob("b*"))
