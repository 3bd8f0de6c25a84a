from __future__ import annotations

import json
from typing import Any

import pytest

from mien.errors import BackendError
from mien.runtime.tensorrt.engines import BuildProgress
from mien.runtime.tensorrt.precision import need_precision, share_of


def told(*outputs: dict[str, Any]) -> str:
    layers = [{"Name": "a", "Inputs": [{"Format/Datatype": "Half"}], "Outputs": [output]} for output in outputs]
    return json.dumps({"Layers": layers})


HALF_IN_10 = {"Name": "y", "Format/Datatype": "Row major linear FP16 format"}
HALF_IN_10_SHORT = {"Name": "y", "Format/Datatype": "Half"}
HALF_IN_11 = {"Name": "y", "DataType": "Half", "Format": "Row major linear format (kLINEAR)"}
FLOAT_IN_10 = {"Name": "half_of_it", "Format/Datatype": "Row major linear FP32"}
FLOAT_IN_11 = {"Name": "half_of_it", "DataType": "Float", "Format": "Row major linear FP32 format (kLINEAR)"}
INT8 = {"Name": "y", "Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format."}


@pytest.mark.parametrize("half", [HALF_IN_10, HALF_IN_10_SHORT, HALF_IN_11])
@pytest.mark.parametrize("full", [FLOAT_IN_10, FLOAT_IN_11])
def test_the_share_is_counted_in_the_words_of_both_versions(half: dict[str, str], full: dict[str, str]) -> None:
    assert share_of(told(half, half, half, full), "fp16") == 0.75
    need_precision(told(half, half, half, full), "fp16")
    with pytest.raises(BackendError, match="expected at least 50% of the layers in fp16, got 25%"):
        need_precision(told(half, full, full, full), "fp16")


def test_int8_is_counted_and_fp32_needs_no_count() -> None:
    need_precision(told(INT8, INT8, FLOAT_IN_10), "int8")
    with pytest.raises(BackendError, match="in int8, got 0%"):
        need_precision(told(HALF_IN_10), "int8")
    need_precision("{}", "fp32")


@pytest.mark.parametrize("information", ["{}", '{"Layers": ["conv1", "conv2"]}', '{"Layers": [{"Name": "a"}]}'])
def test_an_inspector_without_types_is_no_proof(information: str) -> None:
    with pytest.raises(BackendError, match="tells no types of layers; build with detailed verbosity"):
        need_precision(information, "fp16")


def test_phases_within_phases_add_up() -> None:
    shares: list[float] = []
    progress = BuildProgress(lambda phase, share: shares.append(share))
    progress.begin("all", None, 2)
    progress.begin("timing", "all", 4)
    for step in range(4):
        assert progress.step("timing", step)
    progress.end("timing")
    assert progress.step("all", 0)
    progress.step("unknown", 3)
    progress.stop()
    assert not progress.step("all", 1)
    assert shares == [0.0, 0.0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.0, 1.0]
