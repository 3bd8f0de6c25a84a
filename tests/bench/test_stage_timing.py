from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mien.clock import ManualClock
from mien.frame import Frame
from mien.pipeline import Stages
from mien.pipeline.chain import SingleStage
from mien_bench.stage_timing import WHOLE, measure


def _frames(count: int) -> list[Frame]:
    pixels = np.zeros((2, 2, 3), np.uint8)
    return [Frame(pixels, pts=number, time_base=Fraction(1, 25)) for number in range(count)]


def _taking(clock: ManualClock, seconds: float) -> Callable[..., Any]:
    """A stage that takes so long and gives back its first argument."""

    def stage(*arguments: Any) -> Any:
        clock.advance(seconds)
        return arguments[0]

    return stage


def test_each_stage_and_their_sum_are_measured_after_the_warm_up() -> None:
    clock = ManualClock()
    stages: Stages[Any, Any] = Stages(
        _taking(clock, 0.004),
        _taking(clock, 0.001),
        SingleStage(_taking(clock, 0.005)),
    )
    statistics = measure(stages, _frames(30), warm_up=5, clock=clock)
    found = statistics.latencies()
    assert list(found) == ["parse", "motion", "reenact", WHOLE]
    assert {summary.count for summary in found.values()} == {25}
    means = {name: summary.mean for name, summary in found.items()}
    assert means == pytest.approx({"parse": 4.0, "motion": 1.0, "reenact": 5.0, WHOLE: 10.0})
    assert (statistics.frames_in, statistics.frames_out) == (25, 25)


def test_the_order_of_stages_in_the_table_is_the_order_of_the_rooms() -> None:
    clock = ManualClock()
    stages: Stages[Any, Any] = Stages(_taking(clock, 0.0), _taking(clock, 0.0), SingleStage(_taking(clock, 0.0)))
    statistics = measure(stages, _frames(3), warm_up=0, clock=clock)
    assert list(statistics.latencies())[:2] == ["parse", "motion"]
