from __future__ import annotations

import io

import pytest

from mien.clock import ManualClock
from mien.commands.terminal import StatusLine, describe
from mien.pipeline.governor import DARK, reason, slowest
from mien.stats import LiveStatistics


@pytest.fixture
def statistics() -> LiveStatistics:
    made = LiveStatistics(ManualClock())
    made.announce("capture", "parse", "motion", "reenact", "fuse", "encode", "capture_to_emit")
    return made


def test_one_line_tells_rate_latency_level_and_backend(statistics: LiveStatistics) -> None:
    for _ in range(50):
        statistics.stage("capture_to_emit").record(0.0412)
    text = describe(statistics, 24.96, "oneshot-live m on openvino int8")
    assert text == "25.0 fps   41 ms  full  oneshot-live m on openvino int8"


def test_a_state_does_not_hide_why_it_is_slow(statistics: LiveStatistics) -> None:
    statistics.live.cause = "slow: parse takes 50 ms of the 40 that there are"
    assert describe(statistics, 20.0, "warp", "recording").endswith(f"warp  recording  {statistics.live.cause}")


def test_on_a_terminal_the_line_never_wraps(statistics: LiveStatistics, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    StatusLine(out, statistics, ManualClock()).show("a model whose name is longer than any terminal is wide")
    assert len(out.getvalue().removeprefix("\r\x1b[2K")) == 39


def test_drops_and_a_state_are_told(statistics: LiveStatistics) -> None:
    statistics.frames_dropped = 3
    assert describe(statistics, 25.0, "warp", "paused").endswith("warp  3 dropped  paused")


def test_frames_per_second_are_those_since_the_last_line(statistics: LiveStatistics) -> None:
    clock, out = ManualClock(), io.StringIO()
    status = StatusLine(out, statistics, clock)
    statistics.frames_out = 100
    clock.advance(4.0)
    status.show("warp")
    statistics.frames_out = 110
    clock.advance(1.0)
    status.show("warp")
    first, second = out.getvalue().splitlines()
    assert first.startswith("mien: 25.0 fps")
    assert second.startswith("mien: 10.0 fps")


def test_all_well_has_no_reason(statistics: LiveStatistics) -> None:
    assert reason(statistics) is None


def test_reasons_come_in_the_order_of_what_helps_most(statistics: LiveStatistics) -> None:
    live = statistics.live
    live.cause = "slow: reenact takes 60 ms of the 40 that there are"
    assert reason(statistics) == live.cause
    live.brightness = DARK + 10
    assert reason(statistics) == "no face is seen"
    live.brightness = DARK - 10
    assert reason(statistics) == "no face is seen: it is too dark"
    live.stalled = True
    assert reason(statistics) == "the source gives no pictures"


def test_the_slowest_stage_is_named(statistics: LiveStatistics) -> None:
    for name, seconds in {"parse": 0.01, "reenact": 0.05, "fuse": 0.01, "capture_to_emit": 0.2}.items():
        statistics.stage(name).record(seconds)
    assert slowest(statistics, 0.04) == "slow: reenact takes 50 ms of the 40 that there are"


def test_where_no_worker_is_slow_others_are_to_blame(statistics: LiveStatistics) -> None:
    for name, seconds in {"parse": 0.01, "reenact": 0.02, "capture_to_emit": 0.2}.items():
        statistics.stage(name).record(seconds)
    assert slowest(statistics, 0.04) == "slow: other programs keep the processor busy"
