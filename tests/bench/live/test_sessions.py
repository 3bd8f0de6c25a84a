from __future__ import annotations

import pytest

from mien import samples
from mien.config import WARP, ReenactSettings
from mien_bench.latency.sources import pictures_of
from mien_bench.live import sessions as module
from mien_bench.live.runs import Growth
from mien_bench.live.sessions import sessions, swaps

SETTINGS = ReenactSettings(model=WARP, size=128, mark=False)


def test_whole_sessions_leave_threads_and_descriptors_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED", 1)
    growth = sessions(samples.portraits()["aldo"], pictures_of(samples.driver(), count=5), SETTINGS, 3)
    assert (growth.starts, growth.threads, growth.descriptors) == (3, 0, 0)


def test_growth_is_what_there_is_more() -> None:
    assert Growth.between(7, (3, 10, 100.0), (4, 12, 101.5)) == Growth(7, 1, 2, 1.5)
    assert Growth.between(7, (3, None, 100.0), (3, None, 100.0)).descriptors is None


def test_swaps_are_counted_and_the_longest_gap_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.5)
    portraits = list(samples.portraits().values())
    found = swaps(portraits, pictures_of(samples.driver(), count=5), SETTINGS, 3.0)
    told = {check.name: check.got for check in found.checks}
    assert set(told) == {"portraits swapped in", "swaps: longest gap"}
    assert told["portraits swapped in"].endswith("of 5")
