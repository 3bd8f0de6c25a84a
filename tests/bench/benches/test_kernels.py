"""`mien bench kernels`: sides take turns, outputs are compared before times are, and rows say what they shall."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien_bench import command
from mien_bench.benches import kernels
from mien_bench.kernels.devices import devices
from mien_bench.kernels.harness import DifferentOutput, Side, Task, measure
from mien_bench.kernels.roofline import Roof, chart, intensity, share_of_roof
from mien_bench.report import read
from mien_kernels import _native


class Turns:
    """A stopwatch that looks up how long things take, and notes in which order it was asked."""

    def __init__(self, times: dict[str, float]) -> None:
        self.times = times
        self.asked: list[str] = []
        self.running = ""

    def side(self, name: str, value: float = 1.0) -> Side:
        def call() -> None:
            self.running = name

        return Side(name, call, lambda: np.full(3, value), tolerance=0.01)

    def __call__(self, call: Callable[[], object], calls: int) -> float:
        call()
        self.asked.append(self.running)
        return self.times[self.running]


def task(turns: Turns, other: float = 1.0, expected: float = 1.0) -> Task:
    sides = turns.side("mien"), (turns.side("slow", other), turns.side("other")), (turns.side("copy"),)
    return Task("op", "shape", "cpu", 64, 640, *sides, expected=lambda: np.full(3, expected))


def test_sides_take_turns_and_slow_ones_few() -> None:
    turns = Turns({"mien": 2.0, "slow": 150.0, "other": 3.0, "copy": 1.0})
    outcome = measure(task(turns), 4, turns)
    assert {name: outcome.ratio(name) for name in outcome.peers} == {"slow": 75.0, "other": 1.5}
    assert outcome.ms == 2.0
    assert outcome.share_of_copy == 0.5
    assert outcome.differences["slow"] == 0.0
    assert turns.asked[-3:] == ["copy", "mien", "other"]
    assert turns.asked.count("slow") == 2  # once to find out, once to tell


@pytest.mark.parametrize(("other", "expected"), [(1.1, 1.0), (1.0, 1.1), (float("nan"), 1.0)])
def test_different_outputs_are_not_timed(other: float, expected: float) -> None:
    turns = Turns({})
    with pytest.raises(DifferentOutput, match=r"op shape cpu: expected (slow|the reference) to differ by 0.01 at most"):
        measure(task(turns, other, expected), 4, turns)
    assert turns.asked == []


def test_every_op_has_a_task() -> None:
    ops = {name for name in dir(_native) if not name.startswith("_")} - {
        "available_isas",
        "filter_stderr",
        "select_isa",
        "selected_isa",
    }
    assert set(kernels.OPS) == ops


def test_rows_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kernels.json"
    options = ["--op", "to_image", "--op", "rasterize_parts", "--rounds", "2", "--device", "cpu", "--json", str(file)]
    assert command.main(["kernels", *options]) == 0
    (result,) = read(file).results
    rows = {row.name: row for row in result.rows}
    assert len(rows["to_image"].values) == 2
    assert rows["to_image"].better == "lower"
    assert {"to_image by NumPy reference", "machine: float32 matrix product"} <= set(rows)
    assert len(result.steadiness.copy_ms) == 3
    (points,) = (line for line in result.charts[0].lines if line.drawn == "points")
    assert points.labels == ("to_image 256x256x3 uint8", "rasterize_parts 9 outlines 256x256")
    assert "rasterize_parts 9 outlines 256x256 cpu" in capsys.readouterr().out


def test_an_op_lies_below_the_slope_or_the_flat() -> None:
    turns = Turns({"mien": 2.0, "slow": 3.0, "other": 3.0, "copy": 1.0})
    outcome = measure(task(turns), 2, turns)
    roof = Roof(near=(1e-3, 0.5e-3), far=(1e-4,), peak=(5e-3, 4e-3))
    assert intensity(outcome) == 10
    assert roof.at(1) == pytest.approx(1e-3)
    assert roof.at(intensity(outcome)) == pytest.approx(5e-3)
    assert share_of_roof(outcome, roof) == pytest.approx(320e-6 / 5e-3)
    found = chart([outcome], roof, "cpu")
    assert [line.drawn for line in found.lines] == ["line", "line", "points"]
    assert max(found.lines[0].y) == max(found.lines[1].y) == 5e-3


def test_the_copy_moves_all_bytes_with_any_number_of_threads() -> None:
    for threads in (1, 3):
        for place in devices(threads, "cpu"):
            copies = place.copies(16 << 20)
            assert len(copies) == min(threads, 2)
            assert all(place.stopwatch(copy.call, 1) > 0 for copy in copies)


def test_neither_mediapipe_opencv_nor_pyav_is_needed() -> None:
    heavy = {"mediapipe", "cv2", "av", "torch"}
    code = f"import sys, mien_bench.benches.kernels; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
