from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.config import WARP, ReenactSettings
from mien.errors import MienError
from mien_bench import command, stage_timing
from mien_bench.memory import counted
from mien_bench.stage_timing import Setup


def test_arrays_are_counted_with_their_bytes() -> None:
    with counted() as count:
        kept = np.empty(1000, np.float32)
        arrays = count.arrays
        copy = kept.copy()
        view = copy[5:]
    assert (arrays, count.bytes) == (1, 8000)
    del kept, copy
    view[:] = 1
    np.empty(10)
    assert count.arrays == 2, "only while it is counted"


def test_counting_within_counting_goes_to_the_inner_one() -> None:
    with counted() as outer, counted() as inner:
        np.empty(16, np.uint8)
    assert (outer.arrays, inner.bytes) == (0, 16)


def test_what_is_varied_is_the_condition() -> None:
    setup = Setup(ReenactSettings(model=WARP, size=128, threads=2))
    assert setup.condition() == {"model": WARP, "size": 128, "threads": 2}
    assert Setup(ReenactSettings(size=128, threads=1), "int8").condition()["precision"] == "int8"
    assert Setup(ReenactSettings(size=128, style="wave:0.5")).condition()["style"] == "wave:0.5"


@pytest.mark.skipif(stage_timing.why_not() is None, reason="there is a GPU")
def test_without_a_gpu_it_is_said_why() -> None:
    assert str(stage_timing.why_not()).startswith("CUDA: not measured")


def test_a_style_is_a_stage_of_its_own(swaying: Path, tmp_path: Path) -> None:
    answer = tmp_path / "stages.json"
    given = ["--driver", str(swaying), "--model", WARP, "--threads", "1", "--size", "96", "--style", "wave"]
    counts = ["--frames", "4", "--warm-up", "1", "--repetitions", "1"]
    assert command.main(["stages", *given, *counts, "--json", str(answer)]) == 0
    rows = {row["name"]: row for row in json.loads(answer.read_text())["results"][0]["rows"]}
    assert rows["style p95"]["condition"]["style"] == "wave"
    assert rows["style p95"]["values"] < rows["frame p95"]["values"]


def test_the_command_measures_each_setup(swaying: Path, tmp_path: Path) -> None:
    answer = tmp_path / "stages.json"
    given = ["--driver", str(swaying), "--model", WARP, "--threads", "1", "--size", "96", "--size", "128"]
    assert command.main(["stages", *given, "--frames", "12", "--repetitions", "2", "--json", str(answer)]) == 0
    told = json.loads(answer.read_text())["results"][0]
    rows = {(row["name"], row["condition"].get("size")): row for row in told["rows"]}
    for stage in ("parse", "motion", "reenact", "fuse", "smooth", "frame"):
        ranks = [rows[f"{stage} {rank}", 96]["values"] for rank in ("p50", "p95", "p99", "max")]
        assert {len(values) for values in ranks} == {2}
        assert all(low <= high for low, high in zip(ranks[0], ranks[3], strict=True))
    assert rows["reenact NumPy arrays allocated", 128]["values"][0] > 0
    assert (
        rows["smooth NumPy arrays allocated, size", 128]["values"]
        > rows["smooth NumPy arrays allocated, size", 96]["values"]
    )
    assert rows["threads of the process", 96]["values"][0] >= 1
    assert all(check["kept"] for check in told["checks"]), told["checks"]
    assert [note for note in told["notes"] if note.startswith("CUDA")] or stage_timing.why_not() is None


def test_a_setup_that_does_not_go_is_told(swaying: Path) -> None:
    given = ["--driver", str(swaying), "--size", "96", "--frames", "5", "--backend", "onnxruntime"]
    with pytest.raises(MienError, match="not measured"):
        command.main(["stages", *given, "--precision", "int3"])
