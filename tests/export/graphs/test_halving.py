"""Float16 of a bundle whose checkpoint nobody has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.manifest import Bundle, read_bundle
from mien_export.graphs.float16 import with_float16
from mien_export.graphs.half_weights import write_halved


def test_it_is_what_the_checkpoint_would_have_given(bundle: Bundle, tmp_path: Path) -> None:
    without = replace(bundle, graphs=tuple(graph for graph in bundle.graphs if graph.precision != "fp16"))
    found = read_bundle(with_float16(without, tmp_path).folder)
    for name in ("appearance", "generator"):
        assert found.graph(name, "fp16").sha256 == bundle.graph(name, "fp16").sha256
        assert found.graph(name).sha256 == bundle.graph(name).sha256
    assert found.graph("generator", "int8").sha256 == bundle.graph("generator", "int8").sha256
    assert found.precisions_for_auto == bundle.precisions_for_auto


def test_weights_kept_in_float16_give_the_same_graph(distinct_bundle: Bundle, tmp_path: Path) -> None:
    found = []
    for name, given in (("full", distinct_bundle), ("half", write_halved(distinct_bundle, _made(tmp_path / "kept")))):
        found.append(read_bundle(with_float16(given, _made(tmp_path / name)).folder))
    for graph in distinct_bundle.graphs:
        assert found[0].graph(graph.name).sha256 != found[1].graph(graph.name).sha256
        assert found[0].graph(graph.name, "fp16").sha256 == found[1].graph(graph.name, "fp16").sha256


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_command_takes_a_bundle_by_path(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--bundle", str(bundle.folder), "--out", str(tmp_path / "out"), "--precision", "fp16"]
    assert main(["export", "onnx", *given]) == 0
    found = read_bundle(tmp_path / "out")
    assert (found.commit, found.trained_on) == (bundle.commit, bundle.trained_on)
    assert np.isin(("fp32", "fp16"), found.precisions("generator")).all()
    capsys.readouterr()
    assert main(["export", "onnx", *given[:4], "--precision", "int8"]) == 2
    assert "--bundle gives --precision fp16, got int8; the others need --checkpoint" in capsys.readouterr().err
