"""A run from its first step to a bundle that the engine runs, and a killed one that goes on as if nothing had been."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.cli import main
from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.train import checkpoint
from mien_export.train.config import LiveConfig, Stage
from mien_export.train.loop import LATEST, Run, train

CONFIG = LiveConfig("xs", (Stage(30, 128, 8, 5e-4), Stage(4, 256, 2, 2e-4)))
SEED = 1
KILLED_AT = 10
CHILD = f"""
import sys
from pathlib import Path
from mien_export.data.faces import Faces
from mien_export.train.config import LiveConfig, Stage
from mien_export.train.live import LiveLosses
from mien_export.train.loop import Run, train
train({CONFIG!r}, Faces(Path(sys.argv[1])), {SEED}, Run(Path(sys.argv[2]), workers=0, threads=1, every=0.0))
"""
Terms = list[dict[str, float]]


@pytest.fixture(scope="module", autouse=True)
def _signals() -> Iterator[None]:
    """A run takes signals as a wish to stop; whoever runs tests means it otherwise."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def run_of(out: Path, seconds: float | None = None) -> Run:
    return Run(out, workers=0, threads=1, seconds=seconds, grid_every=CONFIG.steps)


@pytest.fixture(scope="module")
def whole(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Terms]:
    """A run without interruption: its folder and its terms."""
    out = tmp_path_factory.mktemp("whole")
    return out, train(CONFIG, faces, SEED, run_of(out), tell=io.StringIO())


def test_the_loss_falls(whole: tuple[Path, Terms]) -> None:
    _, history = whole
    assert len(history) == CONFIG.steps
    assert all(np.isfinite(value) for terms in history for value in terms.values())
    first, last = history[:6], history[24:30]  # of the same stage
    for term in ("generated", "fused", "gradient"):
        assert np.mean([terms[term] for terms in last]) < 0.75 * np.mean([terms[term] for terms in first]), term


def test_a_killed_run_goes_on_to_the_bit(
    whole: tuple[Path, Terms], faces: Faces, faces_folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CHILD, str(faces_folder), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        said = []
        assert child.stderr is not None
        for line in child.stderr:
            said.append(line)
            if line.startswith(f"step {KILLED_AT}/"):
                break
        child.kill()
    assert child.returncode == -signal.SIGKILL, "".join(said)
    done = checkpoint.load(tmp_path / LATEST)["done"]
    assert KILLED_AT - 1 <= done < CONFIG.steps
    out, expected = whole
    assert train(CONFIG, faces, SEED, run_of(tmp_path), tell=io.StringIO()) == expected[done:]
    ours, theirs = (checkpoint.load(folder / LATEST)["step"]["average"]["values"] for folder in (tmp_path, out))
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_what_was_trained_is_run_by_the_engine(whole: tuple[Path, Terms], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it comes with the extra `cpu`")
    out, _ = whole
    bundle = tmp_path / "bundle"
    assert main(["export", "onnx", "--checkpoint", str(out / LATEST), "--out", str(bundle)]) == 0
    pictures = {}
    for model in (str(bundle), "warp"):
        picture = tmp_path / f"{Path(model).name}.png"
        given = ["sample:mira", "--driver", "sample:driver", "--output", str(picture), "--model", model]
        assert main(["reenact", *given, "--duration", "0.04", "--size", "256", "--threads", "1", "--quiet"]) == 0
        pictures[model] = np.asarray(Image.open(picture)).astype(int)
    painted, warped = pictures.values()
    assert painted.shape == warped.shape
    assert np.abs(painted - warped).max() > 8  # it paints
    assert np.abs(painted - warped).mean() < 8  # and only within the face


@pytest.mark.parametrize(
    ("config", "seed", "wrong"),
    [("m", SEED, "size m with seed 1"), ("xs", 2, "size xs with seed 2")],
)
def test_a_folder_holds_one_run(whole: tuple[Path, Terms], faces: Faces, config: str, seed: int, wrong: str) -> None:
    out, _ = whole
    with pytest.raises(SettingError, match=f"holds a run of size xs with seed 1, asked for {wrong}"):
        train(LiveConfig(config, CONFIG.stages), faces, seed, run_of(out), tell=io.StringIO())


def test_a_run_stops_in_time_with_a_checkpoint(faces: Faces, tmp_path: Path) -> None:
    times = iter(range(100))
    history = train(CONFIG, faces, SEED, run_of(tmp_path, seconds=6.0), lambda: float(next(times)), io.StringIO())
    done = checkpoint.load(tmp_path / LATEST)["done"]
    assert 0 < done == len(history) < 6
