from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien import samples
from mien.config import WARP, ReenactSettings
from mien_bench.latency.chirps import EVERY, FORMAT, with_chirps
from mien_bench.latency.sources import pictures_of
from mien_bench.live.rtmp_path import RtmpRun, judged, quarters, through
from mien_bench.live.rtmp_receiver import Arrived, ChirpReceiver


def _arrived(off: float = 0.01, drift: float = 0.0, count: int = 2000) -> Arrived:
    times = [n / 25 for n in range(count)]
    bursts = [at + off + drift * at for at in times[::EVERY]]
    return Arrived(times, list(range(count)), [0.1] * count, bursts)


def _watched(latency: float = 30.0, slower: float = 1.0, grown: float = 0.0) -> RtmpRun:
    at = [float(second) for second in range(80)]
    statistics: dict[str, Any] = {"frames": {"in": 2000}, "live": {"levels": {"full": 0.9, "half": 0.1}}}
    megabytes = list(np.linspace(500, 500 + grown, 80))
    return RtmpRun(at, list(np.linspace(latency, latency * slower, 80)), megabytes, statistics)


def test_a_session_that_stays_as_it_was_passes() -> None:
    found = judged(_watched(), _arrived())
    assert all(check.kept for check in found.checks)
    assert [(row.name, row.median) for row in found.rows][-2:] == [("at level full", 90.0), ("at level half", 10.0)]


@pytest.mark.parametrize(
    ("watched", "arrived", "broken"),
    [
        (_watched(), _arrived(off=0.05), ["off its picture"]),
        (_watched(), _arrived(off=-0.05), ["off its picture"]),
        (_watched(), _arrived(drift=2e-4), ["that, last quarter"]),
        (_watched(slower=2.0), _arrived(), ["latency"]),
        (_watched(grown=40.0), _arrived(), ["memory"]),
        (_watched(), _arrived(count=1500), ["pictures that arrived"]),
        (_watched(), Arrived(), ["what arrived"]),
    ],
)
def test_what_does_not_stay_is_told(watched: RtmpRun, arrived: Arrived, broken: list[str]) -> None:
    found = [check.name for check in judged(watched, arrived).checks if not check.kept]
    assert len(found) == len(broken)
    assert all(part in name for part, name in zip(broken, found, strict=True))


def test_a_burst_whose_picture_was_lost_is_left_out() -> None:
    arrived = _arrived(count=100)
    lost = arrived.numbers.index(2 * EVERY)
    del arrived.times[lost], arrived.numbers[lost]
    _, off = arrived.offsets()
    assert len(off) == 3
    assert off == pytest.approx([0.01] * 3)


@pytest.mark.parametrize("chunk", [480, 1024, 7000])
def test_bursts_are_found_in_sound_as_it_comes_also_after_a_gap(chunk: int) -> None:
    starts = [round(second * FORMAT.rate) for second in (0.5, 1.93, 3.2, 6.6)]
    whole = with_chirps(0, 8 * FORMAT.rate, starts)[0]
    ear = ChirpReceiver()
    for first in range(0, len(whole), chunk):
        later = 10.0 if first >= 5 * FORMAT.rate else 0.0
        ear.hear(whole[first : first + chunk], first / FORMAT.rate + later)
    ear.end()
    assert ear.bursts == pytest.approx([0.5, 1.93, 3.2, 16.6], abs=1e-3)


def test_quarters_are_medians_of_both_ends() -> None:
    assert quarters([1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 5.0, 7.0]) == (1.5, 6.0)


def test_a_session_reaches_a_listener_with_sound_in_step() -> None:
    """Over loopback, for as long as it takes; how fast and how much of it is not asked here."""
    settings = ReenactSettings(model=WARP, size=128, mark=False)
    found = through(samples.portraits()["aldo"], pictures_of(samples.driver(), count=50), settings, 12.0)
    step = next(check for check in found.checks if check.name == "path: sound off its picture")
    assert "bursts" in step.got
    late = found.rows[0].values
    assert abs(float(np.median(late))) <= 40.0
