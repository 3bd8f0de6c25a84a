from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.clock import ManualClock
from mien.stats import Latency, Statistics

BUCKET_ERROR = 0.0101  # half of a bucket's 2 % width, and rounding


@given(st.lists(st.floats(1e-6, 99.0), min_size=1, max_size=200), st.floats(0.0, 1.0))
def test_percentile_is_within_one_percent_of_the_value_at_that_rank(durations: list[float], rank: float) -> None:
    latency = Latency()
    for seconds in durations:
        latency.record(seconds)
    at_rank = sorted(durations)[max(1, math.ceil(rank * len(durations))) - 1]
    assert latency.percentile(rank) == pytest.approx(at_rank, rel=BUCKET_ERROR)


def test_summary_is_in_milliseconds() -> None:
    latency = Latency()
    for seconds in np.linspace(0.001, 0.1, 100):
        latency.record(float(seconds))
    summary = latency.summary()
    assert summary.count == latency.count == 100
    assert summary.mean == pytest.approx(50.5)
    assert summary.p50 == pytest.approx(50.0, rel=BUCKET_ERROR)
    assert summary.p95 == pytest.approx(95.0, rel=BUCKET_ERROR)
    assert summary.max == pytest.approx(100.0)
    assert latency.total == pytest.approx(5.05)


def test_empty_latency_is_all_zero() -> None:
    assert set(Latency().summary().as_json().values()) == {0}


def test_durations_outside_of_the_range_are_kept_at_its_ends() -> None:
    latency = Latency()
    latency.record(0.0)
    latency.record(1000.0)
    assert latency.percentile(0.0) == pytest.approx(1e-6, rel=BUCKET_ERROR)
    assert latency.percentile(1.0) == pytest.approx(100.0, rel=BUCKET_ERROR)
    assert latency.summary().max == pytest.approx(1e6)


@pytest.mark.parametrize("seconds", [-1e-9, math.nan, math.inf])
def test_latency_refuses_what_is_no_duration(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Latency().record(seconds)


def test_percentile_refuses_ranks_outside_of_0_to_1() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Latency().percentile(95)


def test_statistics_count_frames_per_second_until_the_end() -> None:
    clock = ManualClock(start=100.0)
    statistics = Statistics(clock)
    assert statistics.fps == 0.0
    statistics.frames_out = 50
    clock.advance(2.0)
    assert statistics.fps == 25.0
    statistics.end()
    clock.advance(60.0)
    statistics.end()
    assert (statistics.seconds, statistics.fps) == (2.0, 25.0)


def test_statistics_have_a_json_form() -> None:
    clock = ManualClock()
    statistics = Statistics(clock)
    statistics.frames_in, statistics.frames_out, statistics.frames_broken = 3, 2, 1
    statistics.stage("parse").record(0.004)
    statistics.stage("motion").record(0.001)
    statistics.stage("parse").record(0.006)
    clock.advance(1.0)
    form = json.loads(json.dumps(statistics.as_json()))
    assert form["frames"] == {"in": 3, "out": 2, "dropped": 0, "broken": 1, "without_face": 0}
    assert list(form["stages"]) == ["parse", "motion"]
    assert form["stages"]["parse"]["count"] == 2
    assert form["stages"]["parse"]["mean_ms"] == pytest.approx(5.0)
    assert form["fps"] == 2.0
