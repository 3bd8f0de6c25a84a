"""Pairs packed beforehand are those that would have been made, and come in the same order, again and again."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.data.packed import ABOUT, CHUNK, Packed, pack
from mien_export.data.pairs import Pair
from mien_export.data.sampler import Sampler, Sampling

SIDE = 128


@pytest.fixture(scope="module")
def sampler(faces: Faces) -> Sampler:
    return Sampler(faces, Sampling(seed=4, side=SIDE))


@pytest.fixture(scope="module")
def packed(sampler: Sampler, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    told: list[int] = []
    pack(folder, sampler, CHUNK + 1, {"side": SIDE}, told.append)
    assert told == [CHUNK, 2 * CHUNK]
    return folder


def test_they_are_the_pairs_of_their_numbers(packed: Path, sampler: Sampler) -> None:
    found = Packed(packed, {"side": SIDE})
    assert found.count == 2 * CHUNK
    for number in (0, CHUNK, 2 * CHUNK + 3):
        made, taken = sampler(number % found.count), found(number)
        for field in fields(Pair):
            np.testing.assert_array_equal(getattr(taken, field.name), getattr(made, field.name))
            assert getattr(taken, field.name).dtype == getattr(made, field.name).dtype


def test_packing_goes_on_where_it_was_stopped(packed: Path) -> None:
    def refuse(number: int) -> Pair:
        raise AssertionError(number)

    pack(packed, refuse, CHUNK + 1, {"side": SIDE}, lambda _: None)


def test_others_are_refused(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="holds pairs whose side is 128, asked for 256; pack others"):
        Packed(packed, {"side": 256})
    with pytest.raises(SettingError, match=r"expected packed pairs with an about\.json, got none"):
        Packed(tmp_path, {"side": SIDE})
    (tmp_path / ABOUT).write_text('{"side": 128, "count": 16}', encoding="utf-8")
    (tmp_path / "000000.npz").write_bytes(b"nothing")
    with pytest.raises(SettingError, match="holds no pairs that can be read"):
        Packed(tmp_path, {"side": SIDE})(0)
