from __future__ import annotations

import pytest
from onnx import ModelProto

from mien.manifest import Bundle
from mien_export.graphs.int8 import Choice, preferred


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        ([0.02], 0),
        ([0.4, 0.01], 1),
        ([0.95, 0.077, 0.075], 1),  # more exact, but not by what could be seen
        ([0.3, 0.2, 0.1], 2),
        ([-0.01, 0.0], 0),  # noise may happen to help
    ],
)
def test_the_fastest_of_the_best_is_kept(losses: list[float], kept: int) -> None:
    choices = [Choice(str(k), ModelProto(), loss, 40.0) for k, loss in enumerate(losses)]
    assert preferred(choices, enough=0.05).name == str(kept)


def test_the_choice_is_told_and_offered(bundle: Bundle, told: list[str]) -> None:
    assert told[:2] == ["fp32: written", "fp16: written"]
    assert told[2].startswith("int8, all in int8: ")
    assert told[2].endswith("3 unseen portraits")
    assert told[-1].startswith("int8: kept ")
    assert bundle.precisions_for_auto == ("fp32", "int8")
