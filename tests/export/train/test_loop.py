"""A run from its first step to a bundle that the engine runs, and a killed one that goes on as if nothing had been."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import samples
from mien.cli import main
from mien.config import ReenactSettings
from mien.errors import SettingError
from mien.face.motion import identity_motion
from mien.paint.opening import open_painter
from mien.paint.painter import Paint
from mien.portrait.prepare import prepare
from mien.reenact.reenact import Reenact
from mien_export.data.faces import Faces
from mien_export.families.oneshot_live.course import LiveConfig, LiveCourse, Stage
from mien_export.families.oneshot_live.step import LiveStep
from mien_export.families.oneshot_paper.config import PaperConfig, PaperStage
from mien_export.families.oneshot_paper.course import PaperCourse
from mien_export.families.oneshot_paper.step import PaperStep
from mien_export.train import checkpoint
from mien_export.train.checkpoint import join_pieces
from mien_export.train.course import Course, shared_out
from mien_export.train.loop import LATEST, PIECES, Run, train

CONFIG = LiveConfig("xs", (Stage(20, 8, side=64, rate=1e-3), Stage(2, 2, side=256, rate=2e-4)))
COURSE = LiveCourse(CONFIG)
STEPS = 22
PAPER = PaperCourse(
    PaperConfig(
        "paper-64",
        (PaperStage(12, 4, rate=1e-3, background=False), PaperStage(2, 2, rate=1e-4, background=True)),
        extractor_share=0.1,
    )
)
SEED = 1
KILLED_AT = 10
CHILD = f"""
import sys
from pathlib import Path
from mien_export.data.faces import Faces
from mien_export.data.variety import Variety
from mien_export.families.oneshot_live.course import LiveConfig, Stage
from mien_export.train.extractors.given import Given
from mien_export.families.oneshot_live.step import CriticSettings, LiveLosses
from mien_export.families.oneshot_live.course import LiveCourse
from mien_export.train.loop import Run, train
from mien_export.families.oneshot_paper.config import PaperConfig, PaperStage
from mien_export.families.oneshot_paper.course import PaperCourse
from mien_export.families.oneshot_paper.losses import PaperLosses
course = dict(live={COURSE!r}, paper={PAPER!r})[sys.argv[1]]
train(course, Faces(Path(sys.argv[2])), {SEED}, Run(Path(sys.argv[3]), workers=0, threads=1, every=0.0))
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
    return Run(out, workers=0, threads=1, seconds=seconds, grid_every=STEPS)


@pytest.fixture(scope="module")
def whole(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Terms]:
    """A run without interruption: its folder and its terms."""
    out = tmp_path_factory.mktemp("whole")
    return out, train(COURSE, faces, SEED, run_of(out), tell=io.StringIO())


@pytest.fixture(scope="module")
def whole_paper(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Terms]:
    """The same of the thesis's training."""
    out = tmp_path_factory.mktemp("paper")
    return out, train(PAPER, faces, SEED, run_of(out), tell=io.StringIO())


def test_the_loss_falls(whole: tuple[Path, Terms]) -> None:
    _, history = whole
    assert len(history) == STEPS
    assert all(np.isfinite(value) for terms in history for value in terms.values())
    first, last = history[:4], history[16:20]  # of the same stage
    for term in ("generated", "fused", "gradient"):
        assert np.mean([terms[term] for terms in last]) < 0.75 * np.mean([terms[term] for terms in first]), term


def test_the_thesiss_losses_fall(whole_paper: tuple[Path, Terms]) -> None:
    _, history = whole_paper
    assert list(history[0]) == ["appearance", "reconstruction", "identity", "perceptual", "adversarial", "critic"]
    assert all(np.isfinite(value) for terms in history for value in terms.values())
    for term in ("appearance", "reconstruction"):
        assert np.mean([terms[term] for terms in history[8:12]]) < 0.8 * history[0][term], term


@pytest.mark.parametrize("name", ["live", "paper"])
def test_a_killed_run_goes_on_to_the_bit(
    name: str, faces: Faces, faces_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    course: Course = COURSE if name == "live" else PAPER
    out, expected = request.getfixturevalue("whole" if name == "live" else "whole_paper")
    command = [sys.executable, "-c", CHILD, name, str(faces_folder), str(tmp_path)]
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
    assert KILLED_AT - 1 <= done < len(expected)
    assert train(course, faces, SEED, run_of(tmp_path), tell=io.StringIO()) == expected[done:]
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
    assert np.abs(painted - warped).mean() < 8  # it paints within the face only
    with open_painter(ReenactSettings(model=str(bundle), backend="onnxruntime"), 1) as (painter, about):
        assert painter is not None
        portraits = prepare(samples.portraits()["mira"], size=256)
        (painting,) = Paint(portraits, painter)(Reenact(portraits)(identity_motion(), 0.0))
    assert "xs on onnxruntime" in about
    assert painting is not None
    assert painting.generated.std() > 8  # after few steps its mask may leave all to the warp


@pytest.mark.parametrize(
    ("config", "seed", "wrong"),
    [
        (LiveConfig("m", CONFIG.stages), SEED, "size is xs, asked for m"),
        (CONFIG, 2, "seed is 1, asked for 2"),
        (replace(CONFIG, stages=shared_out(CONFIG.stages, 17)), SEED, "steps is 22, asked for 17"),
    ],
)
def test_a_folder_holds_one_run(
    whole: tuple[Path, Terms], faces: Faces, config: LiveConfig, seed: int, wrong: str
) -> None:
    out, _ = whole
    with pytest.raises(SettingError, match=f"holds a run whose {wrong}; give another --out"):
        train(LiveCourse(config), faces, seed, run_of(out), tell=io.StringIO())


def test_columns_of_the_ablation_are_not_mixed(whole_paper: tuple[Path, Terms], faces: Faces) -> None:
    out, _ = whole_paper
    other = replace(PAPER.config, losses=replace(PAPER.config.losses, appearance=3.0))
    with pytest.raises(SettingError, match=r"whose losses is .*'appearance': 25\.0.*, asked for .*'appearance': 3\.0"):
        train(PaperCourse(other), faces, SEED, run_of(out), tell=io.StringIO())


def test_a_run_stops_in_time_with_a_checkpoint_also_in_pieces(faces: Faces, tmp_path: Path) -> None:
    times = iter(range(100))
    run = replace(run_of(tmp_path, seconds=6.0), pieces=True)
    history = train(COURSE, faces, SEED, run, lambda: float(next(times)), io.StringIO())
    done = checkpoint.load(tmp_path / LATEST)["done"]
    assert 0 < done == len(history) < 6
    join_pieces(tmp_path / PIECES, tmp_path / "joined.pt")
    assert (tmp_path / "joined.pt").read_bytes() == (tmp_path / LATEST).read_bytes()


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # torch's own, as it compiles
def test_compiled_networks_learn_the_same(faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (LiveStep, PaperStep):
        plain = kind.compile
        monkeypatch.setattr(kind, "compile", lambda step, plain=plain: plain(step, backend="eager"))
    courses: dict[str, Course] = {
        "live": LiveCourse(replace(CONFIG, stages=shared_out(CONFIG.stages[:1], 2))),
        "paper": PaperCourse(replace(PAPER.config, stages=shared_out(PAPER.parts[:1], 2))),
    }
    for name, short in courses.items():
        runs = [replace(run_of(tmp_path / f"{name}{compiled}"), compiled=compiled) for compiled in (False, True)]
        plainly, compiled = (train(short, faces, SEED, run, tell=io.StringIO()) for run in runs)
        for a, b in zip(plainly, compiled, strict=True):
            assert a == pytest.approx(b, rel=1e-3)
