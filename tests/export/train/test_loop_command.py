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
from mien_export.families.oneshot_live.course import CONFIGS
from mien_export.families.oneshot_live.networks import SIZES
from mien_export.families.oneshot_live.weights import cut, read_weights
from mien_export.families.oneshot_paper.config import CONFIGS as PAPER_CONFIGS
from mien_export.train import checkpoint
from mien_export.train.course import all_steps, shared_out
from mien_export.train.loop import LATEST, PIECES

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


def test_a_smaller_run_can_begin_with_a_larger_bundles_weights_cut(faces_folder: Path, tmp_path: Path) -> None:
    size, weights = read_weights(PACKAGED)
    assert run(faces_folder, tmp_path, "--begin", str(PACKAGED)) == 0
    values = checkpoint.load(tmp_path / LATEST)["step"]["average"]["values"]
    expected = cut(weights, SIZES[size], SIZES["xs"])
    assert all(torch.equal(values[name], expected[name]) for name in expected)


@pytest.mark.parametrize("name", ["paper-64", *(name for name in PAPER_CONFIGS if name.startswith("paper-64-"))])
def test_the_thesiss_runs_begin_by_name(name: str, faces_folder: Path, tmp_path: Path) -> None:
    given = ["--config", name, "--vgg", str(tmp_path / "no"), "--weight", "perceptual=0"]
    assert run(faces_folder, tmp_path, *given) == 0
    state = checkpoint.load(tmp_path / LATEST)
    assert (state["kind"], state["size"], state["done"]) == ("oneshot-paper", "paper-64", 0)
    assert state["concatenate"] == (name != "paper-64-no-concat")
    assert "perceptual" not in state["said"]
    appearance = name.removeprefix("paper-64-lambda-") if "lambda" in name else "25"
    assert state["said"].startswith(f"appearance {appearance}, ")
    assert "identity 1 (own small embedding)" in state["said"]


def test_terms_that_look_through_extractors_can_be_switched_on(faces_folder: Path, tmp_path: Path) -> None:
    weights = [word for term in ("perceptual", "identity", "landmarks") for word in ("--weight", f"{term}=0.5")]
    assert run(faces_folder, tmp_path, *weights, "--pieces") == 0
    assert checkpoint.load(tmp_path / LATEST)["said"].endswith(
        "perceptual 0.5 (VGG-16 with random weights), identity 0.5 (own small embedding), "
        "landmarks 0.5 (own small regressor)"
    )
    assert run(faces_folder, tmp_path / "other", "--resume", str(tmp_path / PIECES)) == 0


def test_a_shortened_run_keeps_the_shares_of_its_stages() -> None:
    stages = CONFIGS[NAME].stages
    assert [stage.steps for stage in shared_out(stages, 230)] == [200, 30]
    assert shared_out(stages, all_steps(stages)) == stages
    first = stages[0]
    assert first.rate_at(0) == first.rate_at(first.steps // 2) == first.rate
    assert first.rate_at(first.steps) == pytest.approx(first.rate / 10)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--config", "oneshot-live-xxl"], "--config must be one of oneshot-live-xs, .*, got 'oneshot-live-xxl'"),
        (
            ["--config", "paper-64", "--begin", str(PACKAGED)],
            "--begin is for configurations oneshot-live-..., got paper-64",
        ),
        (["--weight", "beauty=1"], "--weight: expected a term of generated, .*, got 'beauty'"),
        (["--weight", "identity=1", "--identity", "no.npz"], "no.npz holds no weights for FaceEmbedding"),
        (["--device", "tpu"], "--device must be cpu or cuda, got 'tpu'"),
        (["--data", "nowhere"], "nowhere is no folder of faces"),
        (["--begin", "nowhere"], "nowhere: expected the folder of a model bundle, got none"),
        (
            ["--config", "oneshot-live-l", "--begin", str(PACKAGED)],
            "holds weights of size .*, asked for size l: l has .*, which .* has not; give a bundle of",
        ),
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
