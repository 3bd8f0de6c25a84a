from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.commands.options import Options, count, need_places, not_negative, positive
from mien.errors import SettingError, SinkError


@pytest.mark.parametrize(
    ("kind", "text"),
    [(positive, text) for text in ("0", "-1", "nan", "inf", "x", "")]
    + [(not_negative, text) for text in ("-0.1", "nan", "inf", "x")]
    + [(count, text) for text in ("0", "-3", "1.5", "x", "")],
)
def test_numbers_out_of_range_are_refused(kind: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a"):
        kind(text)


def test_numbers_in_range_are_taken() -> None:
    assert positive("0.5") == 0.5
    assert not_negative("0") == 0
    assert count("12") == 12


def test_a_mistake_is_told_in_one_line_and_where_help_is() -> None:
    parser = Options(prog="mien x")
    parser.add_argument("--length", type=positive)
    with pytest.raises(SettingError) as refused:
        parser.parse_args(["--length", "0"])
    told = "argument --length: expected a number above 0, got 0; `mien x --help` tells more"
    assert str(refused.value) == told


def test_an_empty_path_is_not_the_working_folder() -> None:
    parser = Options(prog="mien x")
    parser.add_argument("--json", type=Path)
    assert parser.parse_args(["--json", "a"]).json == Path("a")
    with pytest.raises(SettingError, match="--json: expected the name of a file or folder, got an empty one"):
        parser.parse_args(["--json", ""])


def test_outputs_that_would_destroy_something_are_refused(tmp_path: Path) -> None:
    portrait, folder = tmp_path / "me.jpg", tmp_path / "folder"
    portrait.write_bytes(b"a picture")
    folder.mkdir()
    need_places([tmp_path / "a.json", tmp_path / "b.json"], [str(portrait), "camera:0"])
    for outputs, reason in (
        ([tmp_path / "none" / "a.json"], "to exist, got none"),
        ([folder], "got a folder"),
        ([tmp_path / "folder" / ".." / "me.jpg"], "those that are read"),
        ([tmp_path / "a", folder / ".." / "a"], "that of another output"),
    ):
        with pytest.raises(SinkError, match=reason):
            need_places(outputs, [str(portrait), "camera:0"])
    need_places([Path("/dev/null"), Path("/dev/null")], [])
    assert portrait.read_bytes() == b"a picture"
