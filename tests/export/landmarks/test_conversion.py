"""MediaPipe's own files, as graphs."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from mien.bundles import PACKAGED
from mien.errors import ModelError, SinkError
from mien.manifest import Bundle, read_bundle
from mien.manifest.bundle import MANIFEST
from mien.runtime.opening import open_session
from mien_export import command
from mien_export.landmarks.command import packaged_modules, write
from mien_export.landmarks.flatbuffer import read_network
from mien_export.landmarks.graphs import FILES, converted
from mien_export.landmarks.translate import Translation


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write(tmp_path_factory.mktemp("landmarks"), packaged_modules())


def test_the_packaged_bundle_is_what_the_command_writes(bundle: Bundle) -> None:
    packaged = read_bundle(PACKAGED / "landmarks")
    for graph in bundle.graphs:
        assert graph.path.read_bytes() == packaged.graph(graph.name).path.read_bytes(), graph.name
    assert packaged.licence == "Apache-2.0"


def test_a_batch_gives_what_its_pictures_give_alone(bundle: Bundle) -> None:
    for graph in bundle.graphs:
        one, two = (open_session(bundle, graph.name, "onnxruntime", "fp32", batch=count) for count in (1, 2))
        (given,) = two.inputs
        two.inputs[given][...] = np.random.default_rng(0).uniform(0, 1, two.inputs[given].shape)
        two.run()
        for place in (0, 1):
            one.inputs[given][0] = two.inputs[given][place]
            one.run()
            for name, output in one.outputs.items():
                np.testing.assert_allclose(output[0], two.outputs[name][place], atol=2e-3, err_msg=graph.name)


def test_runtimes_agree(bundle: Bundle) -> None:
    for graph in bundle.graphs:
        sessions = [open_session(bundle, graph.name, backend, "fp32") for backend in ("onnxruntime", "openvino")]
        (given,) = sessions[0].inputs
        picture = np.random.default_rng(1).uniform(0, 1, sessions[0].inputs[given].shape)
        for session in sessions:
            session.inputs[given][...] = picture
            session.run()
        for name, output in sessions[0].outputs.items():
            np.testing.assert_allclose(output, sessions[1].outputs[name], atol=5e-3, err_msg=f"{graph.name} {name}")


def test_weights_that_are_kept_in_part_are_those_of_the_file() -> None:
    network = read_network(packaged_modules() / FILES["far_detector"])
    sparse = [values for values in network.constants.values() if values.ndim == 4 and values.shape[1:3] == (1, 1)]
    shares = [np.count_nonzero(values) / values.size for values in sparse]
    assert min(shares) < 0.3  # pruned layers
    assert max(shares) > 0.9


def test_another_file_is_refused(tmp_path: Path) -> None:
    shutil.copytree(packaged_modules() / "face_landmark", tmp_path / "face_landmark")
    (tmp_path / FILES["landmarks"]).write_bytes(b"\x20\x00\x00\x00none")
    with pytest.raises(ModelError, match="expected a TFLite model, got something else"):
        converted("landmarks", tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_refused(share: float, tmp_path: Path) -> None:
    content = (packaged_modules() / FILES["detector"]).read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=r"cut.tflite: expected a (whole )?TFLite model, got .*; take the file of"):
        read_network(tmp_path / "cut.tflite")


def test_without_the_package_its_version_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    modules = packaged_modules()
    monkeypatch.setattr("mien_export.landmarks.command.version", missing)
    assert write(tmp_path, modules).trained_on.startswith("converted from mediapipe unknown, copyright")
    assert "as the package\nmediapipe unknown has them" in (tmp_path / "NOTICE").read_text()


def test_an_operator_that_is_not_known_is_named() -> None:
    network = read_network(packaged_modules() / FILES["landmarks"])
    with pytest.raises(ModelError, match=r"expected operators of ADD, .*, got Landmarks2TransformMatrix"):
        Translation(network).run()


def test_the_command_writes_a_bundle_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bundle"
    assert command.main(["landmarks", "--out", str(out), "--commit", "0" * 40]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert {path.name for path in out.iterdir()} == {MANIFEST, "NOTICE", *(f"{name}.onnx" for name in FILES)}
    assert read_bundle(out).commit == "0" * 40
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(SinkError, match="expected a model bundle or nothing there"):
        command.main(["landmarks", "--out", str(tmp_path / "other")])
