from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mien import samples
from mien.config import WARP, ReenactSettings
from mien.errors import MienError
from mien_bench import command
from mien_bench.benches import latency as latency
from mien_bench.control import Control
from mien_bench.latency.harness_checks import DELAYS, LOSING, OF, delays_found, losses_found
from mien_bench.latency.local_paths import (
    offline,
    through_file,
    through_memory,
    through_pipe,
    through_udp,
    through_virtual_camera,
)
from mien_bench.latency.path_results import charts_of, checks_of, rows_of
from mien_bench.latency.path_run import NotAvailable, PathRun, PathSetup
from mien_bench.latency.programs import Server
from mien_bench.latency.sources import pictures_of
from mien_bench.latency.timecode import Code
from mien_bench.latency.trace import Observed
from mien_bench.latency.webrtc_paths import portrait_id, through_browser, through_session, through_whip_and_whep

SIZE = (320, 240)
FRAMES = 60
PORTRAIT = samples.portraits()["mira"]
SETTINGS = ReenactSettings(model=WARP, size=192, mark=False)


@pytest.fixture(scope="module")
def setup() -> PathSetup:
    """The path alone, on small pictures."""
    return PathSetup(pictures_of(samples.driver(), 30, SIZE), FRAMES, PORTRAIT, SETTINGS, idle=True)


def _need_all_read(path_run: PathRun) -> None:
    found = path_run.summary(0.0)
    assert found.latency
    assert (found.unread, found.reordered) == (0, 0)
    assert min(found.latency) > 0


def test_into_memory(setup: PathSetup) -> None:
    path_run = through_memory(setup)
    _need_all_read(path_run)
    assert path_run.sent == FRAMES
    assert path_run.statistics["frames"]["in"] == FRAMES


def test_into_a_file(setup: PathSetup) -> None:
    path_run = through_file(setup)
    _need_all_read(path_run)
    assert path_run.summary(0.0).offset == pytest.approx([0.0] * len(path_run.summary(0.0).offset), abs=5)


def test_every_hundredth_of_3000_frames_is_found_missing_in_a_file(setup: PathSetup) -> None:
    tiny = replace(setup, pictures=pictures_of(samples.driver(), 20, (160, 120)), sound=False)
    path_run = offline(replace(tiny, frames=OF, losing=LOSING))
    assert losses_found(path_run).kept
    assert path_run.summary(0.0).dropped == tuple(range(99, 3000, 100))
    assert not losses_found(offline(replace(tiny, frames=OF // 10, losing=LOSING + 1))).kept


def test_the_engine_carries_the_code_over(setup: PathSetup) -> None:
    live, file = replace(setup, idle=False, frames=30), replace(setup, idle=False, frames=30)
    _need_all_read(through_memory(live))
    path_run = offline(file)
    _need_all_read(path_run)
    assert path_run.summary(0.0).dropped == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_through_a_pipe_to_another_process(setup: PathSetup) -> None:
    path_run = through_pipe(setup)
    _need_all_read(path_run)
    assert all(abs(offset) < 5 for offset in path_run.summary(0.0).offset)


def test_by_udp_to_another_process(setup: PathSetup) -> None:
    _need_all_read(through_udp(replace(setup, frames=40)))


def test_a_path_that_is_not_here_says_why(setup: PathSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien_bench.latency.local_paths.virtual_cameras", lambda: ())
    with pytest.raises(NotAvailable, match="v4l2loopback"):
        through_virtual_camera(setup)
    with pytest.raises(NotAvailable, match="expected a server"):
        through_session(setup)


def test_a_watcher_without_a_stream_says_so(tmp_path: Path) -> None:
    given = [
        sys.executable,
        "-m",
        "mien_bench.latency.stream_watch",
        str(tmp_path / "none.mp4"),
        str(tmp_path / "seen.json"),
    ]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.mp4" in done.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(SETTINGS, sessions=1) as server:
        yield server


def test_by_webrtc_through_a_server_and_back(setup: PathSetup, server: Server) -> None:
    path_run = through_session(replace(setup, server=server, frames=60, delays=(0.0,)))
    _need_all_read(path_run)
    assert path_run.sent >= 60, "so many are sent after the first that is seen"
    assert len(path_run.held) == path_run.sent
    assert path_run.statistics["connection"]["codec"] in ("h264", "vp8")


def test_over_a_bad_network(setup: PathSetup, server: Server) -> None:
    path_run = through_session(replace(setup, server=server, frames=60, network="loss1", seed=3))
    assert path_run.impairment is not None
    (relay,) = path_run.impairment.relays
    assert min(relay.up.packets, relay.down.packets) > 60
    told = {row.name: row.median for row in rows_of([path_run], {})}
    assert told["frames evaluated"] > 0
    assert told["longest frame gap"] > 0
    assert {"freezes", "longest audio gap", "packet loss up", "offered down, last half"} <= told.keys()
    assert {check.name for check in checks_of("x", [path_run])} == {"x: freezes", "x: longest audio gap"}


def test_a_network_is_only_before_a_server() -> None:
    parser = argparse.ArgumentParser()
    latency.add_options(parser)
    options = parser.parse_args(["--path", "pipe", "--network", "loss5", "--model", "none"])
    with pytest.raises(MienError, match="webrtc, whip, browser"):
        latency.run(options, Control())


def test_from_whip_to_whep(setup: PathSetup, server: Server) -> None:
    _need_all_read(through_whip_and_whep(replace(setup, server=server, frames=60)))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
def test_through_a_browser(setup: PathSetup, server: Server) -> None:
    _need_all_read(through_browser(replace(setup, server=server, frames=60)))


def test_a_server_that_does_not_start_is_told() -> None:
    with Server(replace(SETTINGS, model="no-such-model")) as server, pytest.raises(MienError, match="exit code"):
        assert server.url


def test_only_samples_are_shown_by_a_server() -> None:
    assert portrait_id(PORTRAIT) == "mira"
    with pytest.raises(MienError, match="sample"):
        portrait_id(Path("other.jpg"))


def _passage(late: float, lost: tuple[int, ...] = ()) -> PathRun:
    at = tuple(n * 0.04 + late for n in range(200))
    codes = tuple((n, Code.of(n, n * 0.04).time) for n in range(200))
    kept = [n for n in range(200) if n not in lost]
    return PathRun(Observed(tuple(at[n] for n in kept), tuple(codes[n] for n in kept)), 200, {})


def test_rows_have_a_value_for_each_repetition() -> None:
    rows = {row.name: row for row in rows_of([_passage(0.05), _passage(0.07, lost=(100, 101))], {"path": "x"})}
    assert rows["glass to glass p50"].values == pytest.approx((50, 70), abs=0.11)
    assert rows["dropped frames"].values == pytest.approx((0, 100 * 2 / 150), abs=0.05)
    assert rows["time codes decoded"].better == "higher"
    assert "audio lag behind video" not in rows
    assert all(check.kept for check in checks_of("x", [_passage(0.05)]))
    assert not all(check.kept for check in checks_of("x", [PathRun(Observed((), ()), 5, {})]))
    assert rows_of([PathRun(Observed((), ()), 5, {})], {}) == []
    assert len(charts_of({"x": [_passage(0.05, lost=(120,))]}, 100.0)) == 2


def test_a_delay_that_is_not_found_is_told() -> None:
    held = [0.0, 50.5, 200.3]
    assert all(check.kept for check in delays_found("x", [10.0, 60.0, 212.9], held))
    assert [check.kept for check in delays_found("x", [10.0, 64.0, 210.0], held)] == [False, True]
    assert len(DELAYS) == 3


def test_the_command_measures_a_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = tmp_path / "latency.json"
    given = ["--path", "memory", "--path", "offline", "--model", "none", "--frames", "80", "--repetitions", "2"]
    assert command.main(["latency", *given, "--json", str(answer)]) == 0
    told = json.loads(answer.read_text())["results"][0]
    names = {row["name"] for row in told["rows"]}
    assert {"glass to glass p95", "jitter", "dropped frames", "harness: copying the strip"} <= names
    assert {len(row["values"]) for row in told["rows"] if row["name"] == "jitter"} == {2}
    assert "time codes decoded" in capsys.readouterr().out


def test_a_style_is_asked_for_and_is_a_condition() -> None:
    parser = argparse.ArgumentParser()
    latency.add_options(parser)
    styled = latency.setup_of(parser.parse_args(["--path", "memory", "--style", "wave"]))
    assert styled.settings.style == styled.condition()["style"] == "wave"
    assert "style" not in latency.setup_of(parser.parse_args(["--path", "memory"])).condition()


def test_the_command_tells_what_is_not_here() -> None:
    parser = argparse.ArgumentParser()
    latency.add_options(parser)
    options = parser.parse_args(["--path", "webrtc", "--model", "none"])
    with pytest.raises(NotAvailable, match="expected a server"):
        latency.run(options, Control())
