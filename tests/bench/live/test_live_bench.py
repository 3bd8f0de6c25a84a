from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.clock import MonotonicClock
from mien.frame import Frame
from mien_bench import command
from mien_bench.benches.live import checks_of_run
from mien_bench.latency.sources import HEIGHT, WIDTH, camera, pictures_of
from mien_bench.live.disturbed import recovery
from mien_bench.live.runs import LiveRun
from mien_bench.report import read


def test_the_camera_shows_a_clip_as_large_as_cameras_are() -> None:
    pictures = pictures_of(samples.driver(), count=3)
    assert [picture.shape for picture in pictures] == [(HEIGHT, WIDTH, 3)] * 3
    assert (pictures[0][:, 0] == 110).all(), "grey sides of a square clip"
    with camera(pictures, MonotonicClock()) as source:
        first = next(item for item in source if isinstance(item, Frame))
        assert first.captured_at > 0
        assert source.info.live


def _course(latency: float, level: str = "full", dropped: int = 0, slower: float = 1.0) -> LiveRun:
    at = np.arange(500) / 25
    late = np.linspace(latency, latency * slower, 500)
    frames = {"in": 500, "dropped": dropped}
    return LiveRun(list(at), list(late), [level] * 500, statistics={"frames": frames, "live": {"levels": {level: 1.0}}})


def test_a_run_that_keeps_its_promises_passes() -> None:
    assert all(check.kept for check in checks_of_run(_course(0.03), "oneshot-live m on openvino"))
    assert all(check.kept for check in checks_of_run(_course(0.02, "warp"), "warp"))


@pytest.mark.parametrize(
    ("course", "broken"),
    [
        (_course(0.05), ["p50"]),
        (_course(0.07), ["p50", "p95"]),
        (_course(0.03, "half"), ["level"]),
        (_course(0.03, dropped=20), ["dropped"]),
        (_course(0.02, slower=1.7), ["last quarter"]),
    ],
)
def test_each_broken_promise_is_told(course: LiveRun, broken: list[str]) -> None:
    found = [check.name for check in checks_of_run(course, "oneshot-live m on openvino") if not check.kept]
    assert len(found) == len(broken)
    assert all(part in name for part, name in zip(broken, found, strict=True))


def test_recovery_is_when_pictures_are_in_time_again() -> None:
    course = _course(0.03)
    course.latency[250:265] = [3.0] * 15  # from second 10
    course.latency[300] = 0.2  # much later, one by itself
    assert recovery(course, went_on=10.0, promised=0.1) == pytest.approx(14 / 25)
    assert recovery(_course(0.03), went_on=10.0, promised=0.1) == 0.0


def test_the_pipeline_with_nothing_to_do_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = tmp_path / "live.json"
    trials = ["--only", "empty", "--only", "starts", "--starts", "2", "--seconds", "1.5"]
    assert command.main(["live", *trials, "--json", str(answer)]) == 0
    (result,) = read(answer).results
    assert {row.condition["trial"] for row in result.rows} == {"empty", "starts"}
    assert {check.got for check in result.checks if "descriptors" in check.name} == {"+0, +0"}
    assert "processor time" in capsys.readouterr().out
