"""Columns of ablations, trained as briefly as can be: each becomes a bundle that says what it is."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien.cli import main
from mien.manifest import read_bundle
from mien_export.ablation import CHECKPOINTS, COLUMNS, COST
from mien_export.data.faces import Faces
from mien_export.data.views import make_views, save
from mien_export.train import checkpoint
from mien_export.train.loop import LATEST

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A run takes signals as a wish to stop; whoever runs tests means it otherwise."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def test_columns_are_the_papers() -> None:
    assert tuple(COLUMNS["oneshot-paper"]) == ("no-concat", "lambda-3", "lambda-10", "lambda-25", "lambda-50")
    assert tuple(COLUMNS["landmark-unet"])[:4] == ("full", "no-pixel", "no-consistency", "no-features")


def test_a_column_becomes_a_bundle(faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--data", str(faces_folder), "--out", str(tmp_path), "--steps", "1", "--workers", "0"]
    assert main(["export", "ablation", *given, "--columns", "no-concat"]) == 0
    bundle = read_bundle(tmp_path / "no-concat")
    assert bundle.side == 64
    assert bundle.losses.endswith("; without concatenation")
    capsys.readouterr()
    assert main(["export", "ablation", *given, "--columns", "no-concat"]) == 0
    assert "there already" in capsys.readouterr().out


def test_columns_have_turns_and_are_resumed(
    faces: Faces, faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "views.npz", make_views(faces, 3, 64, 0, lambda _: None))
    given = ["--family", "landmark-unet", "--data", str(faces_folder), "--out", str(tmp_path), "--workers", "0"]
    given += ["--packed", str(tmp_path / "views.npz"), "--steps", "2", "--turn", "1"]
    assert main(["export", "ablation", *given, "--columns", "no-features"]) == 0
    capsys.readouterr()
    assert main(["export", "ablation", *given, "--columns", "no-adversarial", "no-features"]) == 0
    out = capsys.readouterr()
    assert "no-features  there already" in out.out
    turns = [line for line in out.err.splitlines() if line.startswith("column")]
    assert turns == [f"column 1 of 1: no-adversarial, to step {step} of 2" for step in (1, 2)]
    run = tmp_path / CHECKPOINTS / "no-adversarial"
    assert checkpoint.load(run / LATEST)["done"] == 2
    cost = json.loads((run / COST).read_text())
    assert cost["steps"] == 2
    assert cost["seconds"] > 0
    assert read_bundle(tmp_path / "no-features").losses == "adversarial 1, pixel 10, itself 100, triple 100"
    assert "adversarial" not in read_bundle(tmp_path / "no-adversarial").losses


@pytest.mark.long
def test_columns_are_trained_and_measured_by_one_command(faces: Faces, faces_folder: Path, tmp_path: Path) -> None:
    data, columns = tmp_path / "data" / "faces", tmp_path / "columns"
    data.mkdir(parents=True)
    (data / "img").symlink_to(faces_folder / "img")
    (data / "landmarks.npz").symlink_to(faces_folder / "landmarks.npz")
    head, *rows = (faces_folder / "manifest.csv").read_text().splitlines()
    numbered = [f"{head},landmarks_row", *(f"{row},{number}" for number, row in enumerate(rows))]
    (data / "manifest.csv").write_text("\n".join(numbered) + "\n")
    save(tmp_path / "views.npz", make_views(faces, 3, 64, 0, lambda _: None))
    train = ["--family", "landmark-unet", "--columns", "full", "no-features", "--steps", "20", "--workers", "0"]
    given = ["--columns", str(columns), "--data", str(data.parent), "--variants", "1", "--threads", "1"]
    given += ["--json", str(tmp_path / "a.json"), "--html", str(tmp_path / "a.html")]
    assert main(["bench", "ablation", *given, "--train", *train, "--packed", str(tmp_path / "views.npz")]) == 0
    (result,) = json.loads((tmp_path / "a.json").read_text())["results"]
    assert {strip["title"] for strip in result["strips"]} >= {"Samples: full", "Results and errors of all columns"}
    assert "Training: pixel" in {chart["title"] for chart in result["charts"]}
    assert [row[0] for row in result["tables"][0]["rows"]] == ["full", "no-features", "source unchanged"]
    assert [row[:2] for row in result["tables"][1]["rows"]] == [["full", "20"], ["no-features", "20"]]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--columns", "lambda-7"), "--columns must be of no-concat, lambda-3"),
        (("--family", "style"), "--family must be one of oneshot-paper, landmark-unet, got 'style'"),
    ],
)
def test_others_are_refused(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "ablation", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
