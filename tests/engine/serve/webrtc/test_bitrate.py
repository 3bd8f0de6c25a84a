"""The rate follows what arrives, as arithmetic."""

from __future__ import annotations

import random

import pytest

from mien.serve.webrtc.bitrate import STALE, BitrateControl, LossReport, ReceiverReport, Reports
from mien.serve.webrtc.settings import BitrateLimits

LIMITS = BitrateLimits()
GOOD = LossReport(0.0, 0.03)


def control_after(*reports: LossReport, begun: float = 0.0) -> BitrateControl:
    control = BitrateControl(LIMITS)
    for second, report in enumerate(reports):
        control.report(report, begun + second)
    return control


def test_it_begins_in_the_middle() -> None:
    assert BitrateControl(LIMITS).target == LIMITS.begin


def test_it_rises_while_all_arrives_up_to_the_limit() -> None:
    assert control_after(*[GOOD] * 5).target > LIMITS.begin
    assert control_after(*[GOOD] * 100).target == LIMITS.most


def test_it_falls_to_what_arrives_down_to_the_limit() -> None:
    assert 0.35 * LIMITS.begin < control_after(LossReport(0.4)).target < 0.6 * LIMITS.begin
    assert control_after(*[LossReport(0.5)] * 30).target == LIMITS.least


def test_a_lasting_loss_makes_it_fall_slowly() -> None:
    control = control_after(*[LossReport(0.15)] * 6)
    assert 0.7 * LIMITS.begin < control.target < LIMITS.begin


def test_a_little_loss_leaves_it() -> None:
    assert control_after(*[LossReport(0.05)] * 10).target == LIMITS.begin


def test_a_loss_by_chance_does_not_hold_it_down() -> None:
    rng = random.Random(0)
    lost = [sum(rng.random() < 0.05 for _ in range(30)) / 30 for _ in range(60)]
    assert control_after(*[LossReport(share, 0.03) for share in lost]).target > 2 * LIMITS.begin


def test_what_was_lost_in_a_break_of_the_network_does_not_count() -> None:
    control = control_after(GOOD)
    before = control.target
    control.report(LossReport(0.95, 0.03), 4.5)
    assert control.target >= before
    control.report(LossReport(0.5, 0.03), 5.5)
    assert control.target < before


def test_it_falls_while_packets_queue() -> None:
    queued = control_after(GOOD, LossReport(0.0, 0.2), LossReport(0.0, 0.2))
    assert queued.target < LIMITS.begin
    assert control_after(GOOD, LossReport(0.0, 0.2), GOOD, LossReport(0.0, 0.2), GOOD).target > LIMITS.begin


def test_a_queue_that_stood_from_the_beginning_is_found_by_the_round_trip_before() -> None:
    control = BitrateControl(LIMITS)
    control.met(0.04, 0.0)
    for second in range(1, 6):
        control.report(LossReport(0.0, 1.0), float(second))
    assert control.target < 0.25 * LIMITS.begin


def test_it_rises_slowly_where_packets_queued_before() -> None:
    control = control_after(*[GOOD] * 3)
    full = control.target
    control.report(LossReport(0.0, 0.3), 3.0)
    control.report(LossReport(0.0, 0.3), 4.0)
    for second in range(5, 9):
        control.report(GOOD, float(second))
    assert control.target < full
    for second in range(9, 100):
        control.report(GOOD, float(second))
    assert control.target == LIMITS.most


def test_a_way_that_has_become_longer_is_no_queue_for_ever() -> None:
    control = control_after(*[GOOD] * 3)
    for second in range(3, 100):
        control.report(LossReport(0.0, 0.3), float(second))
    assert control.target > 250_000


def test_a_long_way_is_no_queue() -> None:
    assert control_after(*[LossReport(0.0, 0.4)] * 5).target > LIMITS.begin


def test_many_reports_in_one_second_count_once() -> None:
    control = BitrateControl(LIMITS)
    for part in range(10):
        control.report(GOOD, part / 10)
    assert control.target == control_after(GOOD).target


def test_an_estimate_above_the_easy_rate_is_obeyed_at_once() -> None:
    control = BitrateControl(LIMITS)
    control.estimate(LIMITS.easy + 50_000, 0.0)
    assert control.target == LIMITS.easy + 50_000


def test_a_low_estimate_counts_only_while_packets_queue() -> None:
    control = control_after(GOOD)
    control.estimate(200_000, 1.0)
    assert control.target == LIMITS.easy
    control.report(LossReport(0.05, 0.03), 2.0)
    control.estimate(200_000, 2.5)
    assert control.target == LIMITS.easy
    control.report(LossReport(0.0, 0.15), 3.0)
    control.report(LossReport(0.0, 0.15), 4.0)
    control.estimate(200_000, 4.1)
    assert control.target == 200_000


def test_an_estimate_that_is_old_holds_nothing_back() -> None:
    control = BitrateControl(LIMITS)
    control.estimate(700_000, 0.0)
    for second in range(10):
        control.report(GOOD, second)
    assert control.target == 700_000
    control.report(GOOD, STALE + 1.0)
    assert control.target > 700_000


def test_reports_of_few_packets_become_one_of_a_second() -> None:
    reports, given = Reports(), []
    for number in range(100):  # each of two packets, of which now and then one is lost
        lost = number // 10
        trip = 0.3 if number % 7 == 0 else 0.02
        report = reports.add(ReceiverReport(0.5 * (number % 10 == 0), lost, 65_530 + 2 * number, trip), number * 0.1)
        given += [report] if report is not None else []
    assert len(given) == pytest.approx(10, abs=1)
    assert all(report.lost == pytest.approx(0.05, abs=0.01) for report in given[1:])
    assert {report.round_trip for report in given[1:]} == {0.02}
