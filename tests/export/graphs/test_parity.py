"""Torch, ONNX Runtime and OpenVINO compute the same pictures, each as exactly as its numbers allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.manifest import Bundle
from mien.runtime.openvino import has_bf16
from mien_export.data.faces import Faces
from mien_export.data.sampler import Sampler, Sampling
from mien_export.families.family import Trained
from mien_export.families.oneshot_examples import examples_of_pairs
from mien_export.families.oneshot_live.family import LIVE
from mien_export.families.oneshot_pairs import collate, to_batch, warp_features
from mien_export.graphs.measure import MOST_DB, MOST_LOSS, Example, psnr
from mien_export.graphs.parity import Agreement, Row, beyond, compare, reasons, table

LEAST_SIGNAL_DB = 15.0
"""Of int8 over its own noise: 256 steps for the range of each of forty tensors, here of weights that nobody trained,
which is the worst case. A wrong scale or zero point of a single tensor leaves less than 10 dB."""


@pytest.fixture(scope="module")
def rows(bundle: Bundle, examples: list[Example], trained: Trained) -> list[Row]:
    return compare(bundle, examples, 1, trained.graphs())


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


def test_all_ways_keep_their_bounds(rows: list[Row]) -> None:
    assert list(beyond(LIVE.bounds, rows)) == []
    lines = list(reasons(LIVE.bounds, rows))
    assert [line.partition(":")[0] for line in lines] == list(dict.fromkeys(row.precision for row in rows))


def test_what_is_out_of_bounds_is_told(rows: list[Row]) -> None:
    (fine,) = of(rows, runtime="onnxruntime", precision="fp16", output="generated")
    (exact,) = of(rows, runtime="onnxruntime", precision="fp32", output="generated")
    (int8,) = of(rows, runtime="onnxruntime", precision="int8", output="generated")
    assert exact.truth is not None
    rough = replace(fine, agreement=Agreement(largest=0.5, mean=0.1, psnr=30))
    worse = replace(int8, truth=exact.truth - 1)
    assert [line.partition(": ")[2] for line in beyond(LIVE.bounds, [exact, rough, worse])] == [
        "expected at least 60 dB, got 30.0",
        "expected errors up to 0.0078, got 0.5",
        f"expected at least {exact.truth - 0.5:.2f} dB against the truth, got {exact.truth - 1:.2f} dB",
    ]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_int8_loses_little(rows: list[Row], examples: list[Example], runtime: str) -> None:
    found = [row for row in of(rows, graph="generator", runtime=runtime) if row.precision.startswith("int8")]
    (exact,) = of(rows, runtime="onnxruntime", precision="fp32", output="generated")
    assert exact.truth is not None
    exactly = [example.outputs["generator"]["generated"] for example in examples]
    nothing = float(np.mean([psnr(0 * painted, painted) for painted in exactly]))
    for row in found:
        if row.output == "generated":
            assert row.agreement.psnr >= nothing + LEAST_SIGNAL_DB, row
            assert row.truth is not None
            assert row.truth >= exact.truth - MOST_LOSS, row


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


def test_examples_are_cut_alike_to_what_the_generator_sees(bundle: Bundle, faces_folder: Path) -> None:
    pair = Sampler(Faces(faces_folder, "test"), Sampling(seed=1, side=256))(0)
    batch = to_batch(collate([pair]), torch.device("cpu"))
    (example,) = examples_of_pairs(bundle, [pair], 1)
    rows, columns = bundle.seen.area
    np.testing.assert_array_equal(example.inputs["generator"]["warped"], batch.warped[..., rows, columns])
    assert example.truth is not None
    np.testing.assert_array_equal(example.truth, batch.target[..., rows, columns])
    for name, cell in (("f32", 8), ("f64", 4)):
        (moved,) = warp_features((torch.from_numpy(example.outputs["appearance"][name]),), batch.flow)
        rows, columns = (slice(part.start // cell, part.stop // cell) for part in bundle.seen.area)
        np.testing.assert_array_equal(example.inputs["generator"][name], moved[..., rows, columns])
