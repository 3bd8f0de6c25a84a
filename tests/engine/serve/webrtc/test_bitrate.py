"""The rate follows what arrives, as arithmetic."""

from __future__ import annotations

import pytest

from mien.serve.webrtc.bitrate import STALE, BitrateControl, Report
from mien.serve.webrtc.settings import BitrateLimits

LIMITS = BitrateLimits()
GOOD = Report(0.0, 0.03)


def control_after(*reports: Report, begun: float = 0.0) -> BitrateControl:
    control = BitrateControl(LIMITS)
    for second, report in enumerate(reports):
        control.report(report, begun + second)
    return control


def test_it_begins_in_the_middle() -> None:
    assert BitrateControl(LIMITS).target == LIMITS.begin


def test_it_rises_while_all_arrives_up_to_the_limit() -> None:
    assert control_after(*[GOOD] * 5).target > LIMITS.begin
    assert control_after(*[GOOD] * 100).target == LIMITS.most


def test_it_falls_by_half_of_what_is_lost_down_to_the_limit() -> None:
    assert control_after(Report(0.4)).target == pytest.approx(LIMITS.begin * 0.8)
    assert control_after(*[Report(0.5)] * 30).target == LIMITS.least


def test_a_little_loss_leaves_it() -> None:
    assert control_after(*[Report(0.05)] * 10).target == LIMITS.begin


def test_it_falls_while_packets_queue() -> None:
    queued = control_after(GOOD, Report(0.0, 0.4))
    assert queued.target < LIMITS.begin


def test_a_long_way_is_no_queue() -> None:
    assert control_after(*[Report(0.0, 0.4)] * 5).target > LIMITS.begin


def test_many_reports_in_one_second_count_once() -> None:
    control = BitrateControl(LIMITS)
    for part in range(10):
        control.report(GOOD, part / 10)
    assert control.target == control_after(GOOD).target


def test_an_estimate_above_the_easy_rate_is_obeyed_at_once() -> None:
    control = BitrateControl(LIMITS)
    control.estimate(LIMITS.easy + 50_000, 0.0)
    assert control.target == LIMITS.easy + 50_000


def test_a_low_estimate_counts_only_while_packets_are_lost() -> None:
    control = control_after(GOOD)
    control.estimate(200_000, 1.0)
    assert control.target == LIMITS.easy
    control.report(Report(0.05), 2.0)
    control.estimate(200_000, 3.0)
    assert control.target == 200_000


def test_an_estimate_that_is_old_holds_nothing_back() -> None:
    control = BitrateControl(LIMITS)
    control.estimate(700_000, 0.0)
    for second in range(10):
        control.report(GOOD, second)
    assert control.target == 700_000
    control.report(GOOD, STALE + 1.0)
    assert control.target > 700_000
