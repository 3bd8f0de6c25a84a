from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.config import WARP, ReenactSettings
from mien_bench.benches.soak import Seen
from mien_bench.latency.path_run import NotAvailable
from mien_bench.latency.programs import Server
from mien_bench.latency.timecode import Code
from mien_bench.latency.trace import Observed
from mien_bench.load.peer_processes import PeerGroup, PeerReport
from mien_bench.load.ramp import Ramp, RampPlan, Step, Usage, climb, recovery, summaries_in, usage, within
from mien_bench.load.ramp_results import checks_of, growth, rows_of, sustained, varied_rows
from mien_bench.load.soak_runs import SessionCycles, SoakCourse, cycle_sessions, cycles_text, drift, endure
from mien_bench.load.soak_runs import SoakPlan as Endurance
from mien_bench.load.soak_runs import checks_of as checks_of_comings
from mien_bench.load.soak_runs import rows_of as rows_of_comings

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="/proc tells what a process uses")
INTERVAL = 0.04
PEER = ["--size", "160x120", "--frames", "1000000", "--silent", "--portrait", "mira"]


def _sight(begin: float, seconds: float, late: float) -> Observed:
    """A peer that sees 25 pictures a second, each `late` seconds old."""
    at = begin + np.arange(round(seconds / INTERVAL)) * INTERVAL
    return Observed(tuple(at), tuple((n, Code.of(n, moment - late).time) for n, moment in enumerate(at)))


def _step(sessions: int, begin: float, p95: float) -> Step:
    return Step(
        sessions, begin, begin + 5, 0.2 + 0.3 * sessions, 200 + 50.0 * sessions, 30, 40, ("full",) * sessions, p95
    )


def _ramp(*late: float) -> Ramp:
    """A step every 10 s, in which pictures are so many seconds old."""
    peers = []
    for number in range(len(late)):
        parts = [_sight(10.0 * n, 10, late[n]) for n in range(number, len(late))]
        at = tuple(moment for part in parts for moment in part.at)
        times = [code[1] for part in parts for code in part.codes if code is not None]
        peers.append(PeerReport(Observed(at, tuple(enumerate(times))), len(at), 5.0, {}))
    return Ramp([_step(n + 1, 10.0 * n + 3, 1e3 * one) for n, one in enumerate(late)], peers)


PLAN = RampPlan(most=8, target=200, settle=1, seconds=5)


def test_what_a_process_uses() -> None:
    code = "import threading, time; x = bytearray(50_000_000); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = usage(process.pid)
        process.kill()
    assert 50 < found.megabytes < 200
    assert found.threads == 1
    assert found.descriptors >= 3
    assert usage(os.getpid()).cpu > 0
    with pytest.raises(NotAvailable, match="/proc"):
        usage(process.pid)


def test_a_window_is_judged_by_itself() -> None:
    observed = _sight(100, 20, 0.05)
    assert len(within(observed, 105, 110).at) == 125
    found = summaries_in(_step(1, 105, 50), [observed, _sight(0, 5, 0.05)])
    assert len(found) == 1
    assert found[0].percentile(50) == pytest.approx(50, abs=0.11)
    assert found[0].dropped == ()


def test_sessions_are_sustained_up_to_the_first_that_is_late() -> None:
    assert sustained(_ramp(0.05, 0.1, 0.3), 200) == 2
    assert sustained(_ramp(0.05, 0.3, 0.1), 200) == 1
    assert sustained(_ramp(0.3), 200) == 0


def test_recovery_is_when_pictures_are_in_time_for_good() -> None:
    late, good = _sight(100, 3, 0.6), _sight(103, 12, 0.05)
    joined = Observed(
        (*late.at, *good.at), tuple(enumerate(code[1] for part in (late, good) for code in part.codes if code))
    )
    assert recovery([joined], 100, 200) == pytest.approx(3.0, abs=0.51)
    assert recovery([joined], 104, 200) == 0.0
    assert recovery([joined], 200, 200) == float("inf")


def test_rows_tell_what_each_number_of_sessions_costs() -> None:
    ramps = [_ramp(0.05, 0.1, 0.3), _ramp(0.06, 0.1, 0.4)]
    rows = {(row.name, row.condition.get("sessions")): row for row in rows_of(ramps, PLAN, {"model": "x"})}
    assert list(rows["sessions with p95 <= 200 ms", None].values) == [2, 2]
    assert rows["glass to glass p50", 3].values == pytest.approx((300, 400), abs=0.2)
    assert rows["CPU cores per session", 2].values == pytest.approx((0.4, 0.4))
    assert list(rows["sessions at level full", 1].values) == [100, 100]
    assert all(check.kept for check in checks_of(ramps, PLAN))
    assert not all(check.kept for check in checks_of([_ramp(0.5)], PLAN))


def test_growth_is_fitted_and_told() -> None:
    single = {"256": [_ramp(0.05)], "512": [_ramp(0.05)]}
    drawn, said = growth([_ramp(0.05, 0.1, 0.15)], single, {"640x480": [_ramp(0.1)]})
    assert [chart.title for chart in drawn][:2] == ["Processors over sessions", "Memory over sessions"]
    assert "0.3 x +0.2" in said[0]
    assert len(list(varied_rows(single, {"640x480": [_ramp(0.1)]}, {"model": "x"}))) == 6


def test_a_drift_is_told_from_scatter() -> None:
    seconds, noise = np.arange(100) * 10.0, np.random.default_rng(1).normal(0, 1, 100)
    rising = drift(list(seconds), list(300 + seconds * 100 / 3600 + noise))
    assert rising is not None
    assert rising.an_hour == pytest.approx(100, rel=0.05)
    assert rising.significant
    still = drift(list(seconds), list(300 + noise))
    assert still is not None
    assert not still.significant
    assert drift([1.0, 2.0], [1.0, 2.0]) is None
    assert drift([], []) is None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    patient = ("--latency", "2000")  # a busy machine is no reason to refuse
    with Server(ReenactSettings(model=WARP, size=128, mark=False), sessions=2, extra=patient) as server:
        yield server


def _joined(group: PeerGroup) -> None:
    """One more is there; where the machine is busy, the server may first say that nobody has room to spare."""
    for _ in range(20):
        if not group.join().refused:
            return
    pytest.fail("the server refuses though it is not full")


def test_a_crowd_is_refused_where_the_server_is_full(server: Server, tmp_path: Path) -> None:
    with PeerGroup(server.url, tmp_path, PEER) as group:
        _joined(group)
        _joined(group)
        assert group.join().refused, "the third one is one too many"
        assert len(group.members) == 2
        first = group.members[0]
        cycles_text = group.leave(first)
        group.leave_all()
    assert cycles_text.observed.at
    assert cycles_text.cpu > 0
    assert len(group.left) == 2


def test_a_ramp_of_real_sessions(server: Server) -> None:
    ramp = climb(server, RampPlan(most=1, target=1e6, settle=0.2, seconds=3), PEER)
    assert [step.sessions for step in ramp.steps] == [1]
    assert ramp.steps[0].processors > 0
    assert ramp.steps[0].levels[0] in ("full", "half", "warp", "hold")
    assert sustained(ramp, 1e6) == 1


def test_a_short_soak_with_sessions_that_come_and_go(server: Server) -> None:
    lines: list[str] = []
    plan = Endurance(seconds=6, every=1.5, sessions=1, renewed=2)
    course = _endured(server, plan, lines)
    assert course.renewals + course.refused >= 1
    assert len(course.reports) == 1
    assert len(lines) == len(course.at) >= 2
    seen = Seen(course, plan.every)
    assert seen.pictures > 0
    assert seen.unread == 0
    assert seen.drift(seen.megabytes) is None


def _endured(server: Server, plan: Endurance, lines: list[str]) -> SoakCourse:
    """Where the machine is busy, the server may first say that nobody has room to spare."""
    for _ in range(20):
        with contextlib.suppress(NotAvailable):
            return endure(server, plan, PEER, lines.append)
    pytest.fail("the server refuses though it is empty")


def test_what_sessions_leave_behind(server: Server) -> None:
    lines: list[str] = []
    comings = cycle_sessions(server, 3, PEER, lines.append)
    assert len(comings.uses) == 3
    assert comings.pictures > 0
    assert {row.name for row in rows_of_comings(comings, {})} == {
        "server memory after a session",
        "server descriptors after a session",
        "server threads after a session",
    }
    assert "3 sessions came and went" in cycles_text(comings)


def test_a_server_that_keeps_something_of_each_session_is_told() -> None:
    noise = np.random.default_rng(1).normal(0, 2, 100)

    def leaking(megabytes: float, threads: float) -> SessionCycles:
        return SessionCycles(
            [Usage(0.0, 300 + megabytes * n + noise[n], 12, round(3 + threads * n)) for n in range(100)], 200
        )

    assert [check.kept for check in checks_of_comings(leaking(0.0, 0.0))] == [True, True, True]
    assert [check.kept for check in checks_of_comings(leaking(0.2, 0.0))] == [False, True, True]
    assert [check.kept for check in checks_of_comings(leaking(0.0, 0.1))] == [True, True, False]


def test_another_ones_server_is_not_measured() -> None:
    with Server(ReenactSettings(), url="http://127.0.0.1:9") as other, pytest.raises(NotAvailable, match="its own"):
        climb(other, PLAN, PEER)
