"""A family from outside, added by entry points alone: trained, exported, proven and run by `mien reenact`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.export.toy.training import TOY, Toy

from mien.cli import main
from mien.errors import ModelError, SettingError
from mien.manifest import family_named, read_bundle
from mien_export.families.family import NetworkFamily
from mien_export.families.registry import FAMILIES, course_of, family_of
from mien_export.train import checkpoint
from mien_export.train.loop import LATEST

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")
pytest.importorskip("openvino", reason="openvino is not installed: it comes with the extra `cpu`")

INSTALLED = Path(__file__).parent / "installed"
SIZE, FRAMES = 192, 3
BORDER = 2
"""Pixels at the rim of the picture, where no crop of a face reaches."""
FAMILY: NetworkFamily[Toy] = TOY


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy's package is installed; a run takes signals as a wish to stop, whoever runs tests means it otherwise."""
    monkeypatch.syspath_prepend(INSTALLED)
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def trained(faces_folder: Path, folder: Path, *length: str) -> tuple[Path, Path]:
    """A run's folder and the bundle of it."""
    run, bundle = folder / "run", folder / "bundle"
    given = ["--data", str(faces_folder), "--out", str(run), "--workers", "0", "--threads", "1", *length]
    assert main(["export", "train", "--config", "heat-toy", *given]) == 0
    assert main(["export", "onnx", "--checkpoint", str(run / LATEST), "--out", str(bundle), "--threads", "1"]) == 0
    return run, bundle


def frames_of(model: str, folder: Path) -> list[NDArray[np.int64]]:
    folder.mkdir()
    given = ["sample:mira", "--driver", "sample:driver", "--output", str(folder / "%03d.png"), "--model", model]
    given += ["--duration", str(FRAMES / 25), "--size", str(SIZE), "--threads", "1", "--backend", "onnxruntime"]
    assert main(["reenact", *given, "--no-mark", "--no-invisible-mark", "--quiet"]) == 0
    return [np.asarray(Image.open(path)).astype(np.int64) for path in sorted(folder.iterdir())]


def painted_alike(bundle: Path, folder: Path) -> float:
    """Mean absolute difference of painted faces from warped ones, in grey levels, after all else was compared."""
    painted, warped = frames_of(str(bundle), folder / "painted"), frames_of("warp", folder / "warped")
    assert len(painted) == len(warped) >= FRAMES
    apart = []
    for own, other in zip(painted, warped, strict=True):
        assert own.shape == other.shape == (SIZE, own.shape[1], 3)
        difference = np.abs(own - other)
        height, width = own.shape[:2]
        assert difference[height // 3 : -height // 3, width // 3 : -width // 3].mean() > 1
        for edge in (difference[:BORDER], difference[:, :BORDER], difference[:, -BORDER:]):
            assert edge.max() == 0
        apart.append(float(difference.mean()))
    return float(np.mean(apart))


@pytest.mark.usefixtures("installed")
def test_a_family_from_outside_is_trained_exported_and_run(
    faces_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, folder = trained(faces_folder, tmp_path, "--steps", "25")
    bundle = read_bundle(folder)
    assert (bundle.family, bundle.kind, bundle.side, bundle.classes) == ("heat-toy", "heat-toy", 64, ())
    assert [(graph.name, graph.runs) for graph in bundle.graphs] == [("generator", "frame")]
    assert (bundle.losses, bundle.trained_on.partition(",")[0]) == ("painted 1", "stills and their moved selves")
    assert checkpoint.load(run / LATEST)["done"] == 25
    given = ["--data", str(faces_folder), "--pairs", "1", "--threads", "1", "--checkpoint", str(run / LATEST)]
    assert main(["export", "parity", "--bundle", str(folder), *given]) == 0
    said = capsys.readouterr().out
    assert "torch" in said
    assert "sums in another order" in said
    assert painted_alike(folder, tmp_path) > 0.5


@pytest.mark.long
@pytest.mark.usefixtures("installed")
def test_a_minute_of_training_brings_it_near_to_the_warp(faces_folder: Path, tmp_path: Path) -> None:
    _, short = trained(faces_folder, tmp_path / "short", "--steps", "1")
    _, long = trained(faces_folder, tmp_path / "long", "--seconds", "60")
    assert painted_alike(long, tmp_path / "long") < 0.5 * painted_alike(short, tmp_path / "short")


def test_without_its_package_it_is_not_there() -> None:
    assert "heat-toy" not in FAMILIES
    with pytest.raises(SettingError, match=r"kind must be one of .*, got 'heat-toy'"):
        family_of("heat-toy", "here")
    with pytest.raises(SettingError, match=r"--config must be one of oneshot-live-xs, .*, got 'heat-toy'"):
        course_of("heat-toy")
    with pytest.raises(ModelError, match=r"family must be one of .*, got 'heat-toy'; install the package"):
        family_named("heat-toy")
