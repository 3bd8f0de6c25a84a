"""`mien.morph` and `mien morph`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mien
from mien import samples
from mien.api import render_file
from mien.capture import image
from mien.cli import main
from mien.errors import SettingError

ALDO, TEO = (str(samples.portraits()[name]) for name in ("aldo", "teo"))


def test_a_morph_is_moved_as_any_portrait() -> None:
    made = mien.morph(ALDO, TEO, 0.5, size=160)
    assert made.size == (160, 160)
    with mien.capture.open(str(samples.driver()), duration=0.1) as source:
        frames = list(mien.animate(made, source, mien.ReenactSettings(model="warp")))
    assert frames[0].pixels.shape == (160, 160, 3)


def test_degrees_are_laid_side_by_side_and_marked_as_synthetic(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert main(["morph", ALDO, TEO, "--count", "3", "--size", "160", "--output", str(path), "--no-mark"]) == 0
    sheet = image.read(path)
    assert sheet.shape == (160, 480, 3)
    plain = mien.prepare(ALDO, size=160)[0].pixels
    np.testing.assert_array_equal(sheet[:, :160], plain)
    between = np.abs(sheet[:, 160:320].astype(int) - plain).mean()
    assert between < np.abs(sheet[:, 320:].astype(int) - plain).mean()
    assert b"synthetic media, made with mien" in path.read_bytes()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--degree", "1.5"], "degree must be a number from 0 to 1, got 1.5"),
        (["--count", "1"], "count must be a whole number from 2 to 24, got 1"),
        (["--how", "linear"], "invalid choice: 'linear'"),
        (["--count", "3", "--degree", "0.5"], "not allowed with"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["morph", ALDO, TEO, "--output", str(tmp_path / "out.png"), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_several_pictures_of_the_first_person_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected one picture of the portrait, got 2"):
        render_file([ALDO, ALDO], samples.driver(), tmp_path / "out.mp4", mien.ReenactSettings(morph=TEO))
