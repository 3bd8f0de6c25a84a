"""The bench of the invisible mark: what it counts as found, and that each change changes what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.cli import main
from mien_bench.benches.mark import psnr, temporal, with_mark
from mien_bench.marks.changes import CHANGES, REPORTED
from mien_bench.marks.material import pieces, unmarked

Pixels = NDArray[np.uint8]
SIZE = 192


@pytest.fixture(scope="module")
def piece() -> list[Pixels]:
    _, frames = next(pieces([samples.driver()], SIZE, 0.4))
    return frames


def test_pieces_have_the_length_that_is_asked_for_and_go_to_and_fro(piece: list[Pixels]) -> None:
    assert [frame.shape for frame in piece] == [(SIZE, SIZE, 3)] * 10
    (_, long), *others = pieces([samples.driver()], 64, 1000.0)
    assert others == []
    assert len(long) == 25_000
    assert np.array_equal(long[0], long[2 * (len(set(map(id, long))) - 1)])


def test_the_mark_is_quiet_and_steady(piece: list[Pixels]) -> None:
    marked = with_mark(piece)
    assert psnr(piece, marked) > 42
    assert psnr(piece, piece) > 100
    assert temporal(marked, piece) == pytest.approx(temporal(piece, piece), rel=0.1)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_gives_pictures_that_differ_and_are_alike(name: str, piece: list[Pixels]) -> None:
    changed = list(CHANGES[name](iter(piece)))
    assert len(changed) == (1 if "one frame" in name else len(piece))
    assert all(frame.dtype == np.uint8 for frame in changed)
    assert np.array_equal(changed[0], piece[0]) == (name == "as it is")
    if changed[0].shape == piece[0].shape and "crop" not in name and name not in REPORTED:
        assert psnr(piece[:1], changed[:1]) > 12


def test_pictures_without_a_mark_are_as_many_as_asked_for_and_differ() -> None:
    seen = list(unmarked([samples.driver()], 3, 64))
    assert [one.shape for one in seen] == [(64, 64, 3)] * 3
    assert not np.array_equal(seen[0], seen[1])
    assert list(unmarked([], 3, 64)) == [] or len(list(unmarked([], 3, 64))) == 3


def test_the_bench_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(samples.driver())
    few = ("--driven", "0", "--pieces", "1", "--seconds", "0.2", "--size", "128", "--unmarked", "2", "--whole", "1")
    assert main(["bench", "mark", "--clips", clip, *few, "--json", str(tmp_path / "mark.json")]) == 0
    said = capsys.readouterr().out
    assert "found after gamma 1.4" in said
    assert "no false alarm" in said
    assert (tmp_path / "mark.json").is_file()
