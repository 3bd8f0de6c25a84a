"""Table 4.2's columns, trained as briefly as can be: each becomes a bundle that says what it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien.cli import main
from mien.manifest import read_bundle
from mien_export.families.oneshot_paper.ablation import COLUMNS

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A run takes signals as a wish to stop; whoever runs tests means it otherwise."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def test_columns_are_the_thesiss() -> None:
    assert COLUMNS == ("no-concat", "lambda-3", "lambda-10", "lambda-25", "lambda-50")


def test_each_column_becomes_a_bundle(faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--data", str(faces_folder), "--out", str(tmp_path), "--steps", "1", "--workers", "0"]
    assert main(["export", "ablation", *given, "--columns", "no-concat", "lambda-3"]) == 0
    bundles = {name: read_bundle(tmp_path / name) for name in ("no-concat", "lambda-3")}
    assert {bundle.side for bundle in bundles.values()} == {64}
    assert bundles["no-concat"].losses.endswith("; without concatenation")
    assert bundles["lambda-3"].losses.startswith("appearance 3, ")
    capsys.readouterr()
    assert main(["export", "ablation", *given, "--columns", "lambda-3"]) == 0
    assert "there already" in capsys.readouterr().out


def test_other_columns_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--columns", "lambda-7"]
    assert main(["export", "ablation", *given]) == 2
    assert "--columns must be of no-concat, lambda-3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
