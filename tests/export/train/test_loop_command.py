"""`mien export train` as users meet it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from mien.bundles import find
from mien.cli import main
from mien_export.graphs.weights import read_weights
from mien_export.train import checkpoint
from mien_export.train.config import CONFIGS
from mien_export.train.loop import LATEST

NAME = "oneshot-live-xs"
PACKAGED = find("oneshot-live")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A run takes signals as a wish to stop; whoever runs tests means it otherwise."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def run(data: Path, out: Path, *more: str) -> int:
    """The command, stopped before its first step."""
    given = ["--config", NAME, "--data", str(data), "--out", str(out), "--seconds", "1e-6", "--workers", "0"]
    return main(["export", "train", *given, "--threads", "1", *more])


def test_a_run_leaves_a_checkpoint_and_says_where(
    faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(faces_folder, tmp_path / "run", "--seed", "5") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'run' / LATEST}\n"
    state = checkpoint.load(tmp_path / "run" / LATEST)
    assert (state["size"], state["seed"], state["done"]) == ("xs", 5, 0)


def test_another_folder_goes_on_from_a_checkpoint(
    faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(faces_folder, first) == 0
    state = checkpoint.load(first / LATEST)
    checkpoint.save(first / LATEST, {**state, "done": 7})
    assert run(faces_folder, second, "--resume", str(first / LATEST)) == 0
    taken = checkpoint.load(second / LATEST)
    assert taken["done"] == 7
    values = [one["step"]["average"]["values"] for one in (state, taken)]
    assert all(torch.equal(values[0][name], values[1][name]) for name in values[0])
    assert run(faces_folder, second, "--resume", str(first / LATEST)) == 2
    assert "is there: the run goes on from it; give another --out" in capsys.readouterr().err
    assert run(faces_folder, first, "--resume", str(first / LATEST)) == 0  # its own


def test_a_run_can_begin_with_a_bundles_weights_in_fewer_steps(faces_folder: Path, tmp_path: Path) -> None:
    size, weights = read_weights(PACKAGED)
    given = ["--config", f"oneshot-live-{size}", "--begin", str(PACKAGED)]
    assert run(faces_folder, tmp_path, *given, "--steps", "230") == 0
    state = checkpoint.load(tmp_path / LATEST)
    assert all(torch.equal(state["step"]["average"]["values"][name], weights[name]) for name in weights)
    assert run(faces_folder, tmp_path, *given, "--steps", "240") == 2  # its stages end elsewhere


def test_a_shortened_run_keeps_the_shares_of_its_stages() -> None:
    config = CONFIGS[NAME]
    assert [stage.steps for stage in config.shortened(230).stages] == [200, 30]
    assert config.shortened(config.steps) == config
    first = config.stages[0]
    assert first.rate_at(0) == first.rate_at(first.steps // 2) == first.rate
    assert first.rate_at(first.steps) == pytest.approx(first.rate / 10)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--config", "oneshot-live-xxl"], "--config must be one of oneshot-live-xs, .*, got 'oneshot-live-xxl'"),
        (["--device", "tpu"], "--device must be cpu or cuda, got 'tpu'"),
        (["--data", "nowhere"], "nowhere is no folder of faces"),
        (["--begin", "nowhere"], "nowhere: expected the folder of a model bundle, got none"),
        (["--begin", str(PACKAGED)], "holds weights of size m, asked for size xs"),
        (["--resume", "nothing.pt"], "nothing.pt is no checkpoint"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_made(
    faces_folder: Path, tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(faces_folder, tmp_path / "run", *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mien: ")
    assert re.search(reason, line)
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_is_not_there_is_told(
    faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run(faces_folder, tmp_path, "--device", "cuda") == 2
    assert "--device cuda: expected a GPU" in capsys.readouterr().err
