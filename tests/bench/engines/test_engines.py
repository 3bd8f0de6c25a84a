"""Other engines: processes asked in turns, what is told of those that fail, and no quality of random weights."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.errors import BackendError, SettingError
from mien_bench.benches import peers
from mien_bench.control import Control
from mien_bench.engines.client import Driver, EngineProcess, driver_of, scores
from mien_bench.engines.live_portrait import Motion, degrees, moved, placed, rotation_of
from mien_bench.results import Result

ROOT = Path(__file__).parents[3]
ECHO = "tests.bench.engines.echo"


@pytest.fixture(scope="module")
def driver() -> Driver:
    return driver_of(samples.driver(), 3)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    parser = argparse.ArgumentParser()
    peers.add_options(parser)
    return parser.parse_args(["--frames", "3", "--rounds", "2", "--threads", "1", "--models", "warp"])


def _run(options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, *models: str) -> Result:
    """A run in which engines of tests take part instead."""

    def entrants(given: argparse.Namespace, folder: Path) -> list[peers.Entrant]:
        shared = ("--source", str(folder / "source.npy"), "--frames", str(folder / "frames.npy"), "--threads", "1")
        return [peers.Entrant(model, ECHO, (*shared, "--model", model)) for model in models]

    monkeypatch.setattr(peers, "entrants", entrants)
    return peers.run(options, Control())


def test_engines_take_turns_and_are_compared_with_the_first(
    options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _run(options, monkeypatch, "mien warp", "untrained")
    speeds = {row.condition["engine"]: row for row in result.rows if row.name == "a frame"}
    assert {name: (len(row.values), row.better) for name, row in speeds.items()} == {
        "mien warp": (2, "lower"),
        "untrained": (2, "neither"),
    }
    (ratio,) = (row for row in result.rows if row.name.startswith("time relative to"))
    assert len(ratio.values) == 2
    assert "random weights: speed only" in result.tables[0].rows[1][-1]
    assert [check.kept for check in result.checks] == [True, True]


def test_quality_is_told_of_trained_weights_only(options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _run(options, monkeypatch, "trained", "untrained")
    judged = {row.condition["engine"] for row in result.rows if row.name.startswith("l1, ")}
    assert judged == {"trained"}
    face = next(row for row in result.rows if row.name == "l1, face")
    assert face.median < 1.0, "an echo is the truth, but for being enlarged and reduced"


def test_an_engine_that_fails_or_does_nothing_is_told_and_stops_no_other(
    options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _run(options, monkeypatch, "broken", "still")
    told = {check.name: check for check in result.checks}
    assert "expected weights, got none" in told["broken runs"].got
    assert not told["broken runs"].kept
    assert not told["still answers"].kept
    assert any(note.startswith("no checkout named: first-order-model") for note in result.notes)


def test_an_engine_that_breaks_later_is_told(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    driver.write(tmp_path)
    shared = ("--source", str(tmp_path / "source.npy"), "--frames", str(tmp_path / "frames.npy"), "--threads", "1")
    with EngineProcess("echo", ECHO, shared) as child:
        assert len(child.round()) == 3
        assert child.introduction.size == (512, 512)
        with pytest.raises(BackendError, match=r"echo: expected it to run, got .*Error"):
            child.round(keep=tmp_path / "nowhere" / "answers.npy")


def test_the_driver_begins_with_its_calmest_frame(driver: Driver) -> None:
    assert driver.frames.shape == (3, 256, 256, 3)
    assert (driver.frames[0] == driver.source).all()
    assert all(0 < one[:, :2].mean() < 256 for one in driver.landmarks)
    rows = {row.name: row for row in scores(driver, driver.frames)}
    assert rows["ssim, face"].values == pytest.approx((1.0, 1.0))
    with pytest.raises(SettingError, match="frames must be from 2 to"):
        driver_of(samples.driver(), 1)


def test_checkouts_and_weights_are_passed_on(options: argparse.Namespace) -> None:
    options.first_order_model, options.live_portrait = Path("a"), Path("b")
    options.weights = ["first-order-model=c"]
    own, first, live = peers.entrants(options, Path("folder"))
    assert (own.name, own.module) == ("mien warp", "mien_bench.engines.own")
    assert first.arguments[-6:] == ("--checkout", "a", "--weights", "c", "--live-portrait", "b")
    assert "--weights" not in live.arguments
    options.weights = ["nobody=c"]
    with pytest.raises(SettingError, match="got 'nobody=c'"):
        peers.entrants(options, Path("folder"))


def test_keypoints_follow_the_paper_s_equations() -> None:
    random = np.random.default_rng(0)
    own, first, now = (
        Motion(
            random.normal(size=(21, 3)),
            rotation_of(*random.uniform(-30, 30, 3)),
            random.normal(size=(21, 3)) * 0.1,
            random.uniform(1, 2, 1),
            random.normal(size=3),
        )
        for _ in range(3)
    )
    assert moved(own, first, first) == pytest.approx(placed(own), abs=1e-5)
    alike = moved(own, now, own)
    expected = own.points @ now.rotation + now.expression
    assert alike == pytest.approx(expected * now.scale + now.shift * [1, 1, 0], abs=1e-5)


def test_angles_are_expectations_over_bins() -> None:
    bins = np.full(66, -50.0)
    bins[40] = 50.0
    assert degrees(bins[None]) == pytest.approx(40 * 3 - 97.5)
    turned = np.array([0.0, 0.0, 1.0]) @ rotation_of(0, 90, 0)
    assert np.abs(turned) == pytest.approx([1, 0, 0], abs=1e-9)
    assert np.linalg.det(rotation_of(10, 20, 30)) == pytest.approx(1)
