"""Torch, ONNX Runtime and OpenVINO compute the same pictures, each as exactly as its numbers allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mien.manifest import Bundle
from mien.runtime.openvino import has_bf16
from mien_export.graphs.agreement import MOST_DB, Agreement, psnr
from mien_export.graphs.parity import Row, compare, table
from mien_export.graphs.reference import Example
from mien_export.graphs.trained import Trained

GREY_LEVEL = 1 / 128
"""Of pictures in -1..1."""


@dataclass(frozen=True)
class Bound:
    """How far the generator's outputs may be from fp32 in ONNX Runtime."""

    largest: float
    psnr: float


BOUNDS = {
    # 24 bits: sums of a thousand terms in another order, through thirty layers; a hundredth of a grey level
    "fp32": Bound(largest=0.01 * GREY_LEVEL, psnr=100),
    # 11 bits, each layer rounds by 2 ** -12: less than a grey level at the worst pixel
    "fp16": Bound(largest=GREY_LEVEL, psnr=60),
    # 8 bits: 3 bits, which are 18 dB, less than fp16
    "bf16": Bound(largest=0.25, psnr=42),
}
LEAST_SIGNAL_DB = 15.0
"""Of int8 over its own noise: 256 steps for the range of each of forty tensors, here of weights that nobody trained,
which is the worst case. A wrong scale or zero point of a single tensor leaves less than 10 dB."""
MOST_LOSS_DB = 0.5
"""Of int8 against the truth, as promised."""


@pytest.fixture(scope="module")
def rows(bundle: Bundle, examples: list[Example], trained: Trained) -> list[Row]:
    return compare(bundle, examples, 1, trained)


def of(rows: list[Row], **wanted: str) -> list[Row]:
    found = [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]
    assert found
    return found


def test_every_way_is_measured(rows: list[Row]) -> None:
    ways = {(row.runtime, row.precision) for row in of(rows, graph="generator")}
    everywhere = {
        ("torch", "fp32"),
        *(("onnxruntime", precision) for precision in ("fp32", "fp16", "int8")),
        *(("openvino", precision) for precision in ("fp32", "fp16", "int8")),
    }
    assert ways == everywhere | ({("openvino", "bf16"), ("openvino", "int8+bf16")} if has_bf16() else set())
    assert {row.output for row in of(rows, graph="appearance")} == {"f32", "f64"}


@pytest.mark.parametrize("precision", list(BOUNDS))
def test_floating_point_agrees(rows: list[Row], precision: str) -> None:
    if precision == "bf16" and not has_bf16():
        pytest.skip("this processor has no bf16")
    bound = BOUNDS[precision]
    for row in of(rows, graph="generator", precision=precision):
        assert row.agreement.largest <= bound.largest, row
        assert row.agreement.psnr >= bound.psnr, row
    for row in of(rows, graph="appearance", precision=precision):  # in units of a standard deviation
        assert row.agreement.psnr >= bound.psnr - 6, row


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_int8_loses_little(rows: list[Row], examples: list[Example], runtime: str) -> None:
    found = [row for row in of(rows, graph="generator", runtime=runtime) if row.precision.startswith("int8")]
    (exact,) = of(rows, runtime="onnxruntime", precision="fp32", output="generated")
    assert exact.truth is not None
    nothing = float(np.mean([psnr(0 * e.painted["generated"], e.painted["generated"]) for e in examples]))
    for row in found:
        if row.output == "generated":
            assert row.agreement.psnr >= nothing + LEAST_SIGNAL_DB, row
            assert row.truth is not None
            assert row.truth >= exact.truth - MOST_LOSS_DB, row


def test_the_reference_is_at_no_distance_from_itself(rows: list[Row]) -> None:
    for row in of(rows, runtime="onnxruntime", precision="fp32"):
        assert row.agreement == Agreement(0, 0, MOST_DB)


def test_agreement_is_what_it_says() -> None:
    expected = [np.zeros((1, 3, 4, 4), np.float32), np.ones((1, 3, 4, 4), np.float32)]
    got = [expected[0] + 0.5, expected[1] - 0.25]
    found = Agreement.of(got, expected)
    assert (found.largest, found.mean) == (0.5, 0.375)
    assert found.psnr == pytest.approx((20 * np.log10(2 / 0.5) + 20 * np.log10(2 / 0.25)) / 2)


def test_the_table_has_a_line_for_each_row(rows: list[Row]) -> None:
    head, *lines = table([replace(rows[0], truth=12.3456), *rows[1:]]).splitlines()
    assert head.split()[:3] == ["graph", "runtime", "precision"]
    assert len(lines) == len(rows)
    assert lines[0].endswith("12.346")
