"""`mien export` as users meet it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from mien.cli import main
from mien.errors import BackendError, SettingError
from mien.manifest import MANIFEST, Bundle, read_bundle
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export import command
from mien_export.families.family import Trained
from mien_export.families.oneshot_live.weights import read_weights
from mien_export.families.registry import read_trained
from mien_export.graphs import command as graphs_command
from mien_export.graphs.measure import Example, ran
from mien_export.train import checkpoint


@pytest.fixture(scope="module")
def latest(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, as far as the export reads it."""
    path = tmp_path_factory.mktemp("run") / "latest.pt"
    values = dict(trained.networks.named_parameters())
    state = {"size": "xs", "seed": 3, "done": 12, "step": {"average": {"steps": 12, "values": values}}}
    checkpoint.save(path, state)
    return path


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_lists_the_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *arguments]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in command.COMMANDS)


@pytest.mark.parametrize("name", list(command.COMMANDS))
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["export", name, "--help"])
    assert left.value.code == 0
    assert f"usage: mien export {name}" in capsys.readouterr().out


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "coffee"]) == 2
    assert (
        capsys.readouterr().err
        == "mien: export must be one of train, pack, ablation, labels, label-quality, landmarks, onnx, people, "
        "parity, refine, style, views, trt, got 'coffee'\n"
    )


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(command, "import_module", missing)
    with pytest.raises(BackendError, match=r"expected the package torch, got none; pip install 'mien\[train,cpu\]'"):
        command.main(["onnx"])


def test_a_checkpoint_becomes_a_bundle_that_the_engine_runs(
    latest: Path, bundle: Bundle, examples: list[Example], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    arguments = ["--checkpoint", str(latest), "--out", str(out), "--name", "mine", "--commit", "abc"]
    assert main(["export", "onnx", *arguments]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    found = read_bundle(out)
    assert (found.name, found.commit, found.precisions_for_auto) == ("mine", "abc", ("fp32",))
    assert "12 steps" in found.trained_on
    for graph in found.graphs:  # the same weights give the same bytes
        assert graph.path.read_bytes() == bundle.graph(graph.name).path.read_bytes()
    painted = ran(OnnxRuntimeSession(found.graph("generator")), examples[0].inputs["generator"])
    assert (painted["generated"] == examples[0].outputs["generator"]["generated"]).all()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--precision", "fp8"], "--precision must be of fp32, fp16, int8, got 'fp8'"),
        (["--precision", "int8"], "--precision int8 is calibrated on real pairs: expected --data DIR with faces"),
        (["--precision", "int8", "--data", "nowhere"], "nowhere is no folder of faces"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_made(
    latest: Path, tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "onnx", "--checkpoint", str(latest), "--out", str(tmp_path / "b"), *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"mien: {reason}")
    assert not list(tmp_path.iterdir())


def test_weights_are_averaged_with_those_of_a_bundle(
    distinct: Trained, distinct_bundle: Bundle, tmp_path: Path
) -> None:
    once, again, moved = distinct_bundle.folder, tmp_path / "again", tmp_path / "moved.pt"
    values = {name: value + 0.25 for name, value in distinct.networks.named_parameters()}
    state = {"size": "xs", "seed": 7, "done": 12, "step": {"average": {"steps": 12, "values": values}}}
    checkpoint.save(moved, state)
    others = ["--average", str(once), "--average", str(once)]
    assert main(["export", "onnx", "--checkpoint", str(moved), *others, "--out", str(again)]) == 0
    (_, first), (_, mean) = read_weights(once), read_weights(again)
    for name, value in first.items():
        torch.testing.assert_close(mean[name], value + 0.25 / 3, atol=1e-5, rtol=0)


def test_weights_of_another_size_are_not_averaged(latest: Path, tmp_path: Path) -> None:
    arguments = ["--checkpoint", str(latest), "--average", "oneshot-live", "--out", str(tmp_path / "bundle")]
    with pytest.raises(SettingError, match="expected weights of size xs to average with, got m"):
        graphs_command.main(arguments)
    assert not (tmp_path / "bundle").exists()


def test_other_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    for state in ({}, {"size": "xs", "seed": 0, "done": 1, "step": {"average": {"values": {"a": torch.zeros(1)}}}}):
        checkpoint.save(path, dict(state))
        with pytest.raises(SettingError, match="is no checkpoint of networks"):
            read_trained(path)
    checkpoint.save(path, {"size": "xxs", "seed": 0, "done": 1, "step": {"average": {"values": {}}}})
    with pytest.raises(SettingError, match="size must be one of xs, s, m, l, xl, gpu, got 'xxs'"):
        read_trained(path)


def test_parity_prints_its_table(
    bundle: Bundle, faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["--bundle", str(bundle.folder), "--data", str(faces_folder), "--pairs", "1", "--threads", "1"]
    assert main(["export", "parity", *told, "--json", str(tmp_path / "parity.json")]) == 0
    found = json.loads((tmp_path / "parity.json").read_text(encoding="utf-8"))
    assert (found["pairs"], found["out_of_bounds"]) == (1, [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("graph")
    assert any(line.split()[:4] == ["generator", "openvino", "int8", "generated"] for line in lines)


def test_engines_want_a_bundle_and_a_gpu(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["export", "trt", "--bundle", str(tmp_path)]) == 2
    assert f"expected a model bundle with a {MANIFEST}" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tensorrt", None)  # as where it is not installed
    assert main(["export", "trt", "--bundle", str(bundle.folder)]) == 2
    assert capsys.readouterr().err.startswith("mien: tensorrt: expected TensorRT and CuPy, got none")
