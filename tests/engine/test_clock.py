from __future__ import annotations

import pytest

from mien.clock import Clock, ManualClock, MonotonicClock


def test_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(start=5.0)
    assert clock.now() == clock.now() == 5.0
    clock.advance(0.25)
    assert clock.now() == 5.25


def test_manual_clock_refuses_to_go_back() -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        ManualClock().advance(-1.0)


def test_monotonic_clock_never_goes_back() -> None:
    clock: Clock = MonotonicClock()
    times = [clock.now() for _ in range(100)]
    assert times == sorted(times)
