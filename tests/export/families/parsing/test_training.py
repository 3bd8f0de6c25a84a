"""A segmenter from its first step to a bundle that the engine runs."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from mien.clock import ManualClock
from mien.errors import SettingError
from mien.face import classes
from mien.face.crop import crop_matrix
from mien.face.pose import fit_pose
from mien.manifest import Bundle, read_bundle
from mien_export.data.faces import Faces
from mien_export.families.parsing.course import (
    ParsingConfig,
    ParsingCourse,
    ParsingPart,
    segmentation_terms,
    window_of,
)
from mien_export.families.parsing.labelled import Labelled
from mien_export.families.parsing.measure import DRAWN, Agreement, LabelMeasure
from mien_export.families.parsing.network import SIZES, CellMeans, Segmenter
from mien_export.families.parsing.quality import against_labels, milliseconds, on_drawn
from mien_export.families.parsing.weights import begun, keep
from mien_export.families.registry import course_of, family_of, read_trained
from mien_export.graphs.measure import Example
from mien_export.graphs.parity import beyond, compare
from mien_export.graphs.writing import RealFaces, Words, write_bundle
from mien_export.train import checkpoint
from mien_export.train.course import Asked
from mien_export.train.loop import LATEST, Run, train

STEPS = 6
CONFIG = ParsingConfig("s", (ParsingPart(STEPS, 2, side=128, rate=3e-3),))


@pytest.fixture(scope="module")
def trained(labels_file: Path, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps."""
    out = tmp_path_factory.mktemp("run")
    history = train(ParsingCourse(CONFIG, labels_file), faces, 0, Run(out, workers=0, threads=1), tell=io.StringIO())
    assert len(history) == STEPS
    assert all(np.isfinite(list(terms.values())).all() for terms in history)
    return out / LATEST


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What was said while the bundle was written."""
    return []


@pytest.fixture(scope="module")
def bundle(trained: Path, faces: Faces, told: list[str], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """In fp32 and int8."""
    words = Words("parsing", "Apache-2.0", "0", "0" * 40, "portraits of nobody", "entropy 1")
    folder = tmp_path_factory.mktemp("bundle")
    real = RealFaces(faces, faces, 2, 2)
    return write_bundle(folder, read_trained(trained), words, ("fp32", "int8"), real, 1, told.append)


def test_training_logits_are_those_of_the_whole_network() -> None:
    torch.manual_seed(0)
    network = Segmenter(SIZES["s"]).eval()
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    window = (slice(4, 12), slice(2, 10))
    with torch.no_grad():
        whole = network(picture)
        for phase in range(4):
            row, column = divmod(phase, 2)
            fine = network.thinned(picture, window, phase)[1]
            seen = whole[:, :, row::2, column::2][:, :, 8:24, 4:20]
            inner = (..., slice(1, -1), slice(1, -1))  # at the window's edge the last convolution sees nothing beyond
            assert torch.allclose(fine[inner], seen[inner], atol=1e-5)


def test_what_is_exported_gives_the_mean_logits_of_cells() -> None:
    torch.manual_seed(0)
    network = Segmenter(SIZES["s"]).eval()
    picture = torch.rand(2, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        cells = torch.nn.functional.avg_pool2d(network(picture), 2)
        assert torch.allclose(CellMeans(network)(picture), cells, atol=1e-5)


def test_windows_move_and_stay_inside() -> None:
    windows = [window_of(step, 48) for step in range(50)]
    assert all(0 <= part.start < part.stop <= 48 for window in windows for part in window)
    assert len({(rows.start, columns.start) for rows, columns in windows}) > 20
    assert window_of(7, 8) == window_of(7, 8)


def test_unknown_pixels_teach_nothing() -> None:
    logits = torch.randn(1, len(classes.CLASSES), 4, 4, requires_grad=True)
    labels = torch.randint(0, len(classes.CLASSES), (1, 4, 4))
    labels[:, 2:] = 255
    sum(segmentation_terms(logits, labels).values(), torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[:, :, 2:] == 0).all()
    assert (logits.grad[:, :, :2] != 0).any()


def test_dice_is_nothing_where_all_is_right() -> None:
    labels = torch.randint(0, len(classes.CLASSES), (2, 16, 16))
    right = 50.0 * torch.nn.functional.one_hot(labels, len(classes.CLASSES)).permute(0, 3, 1, 2).float()
    terms = segmentation_terms(right, labels)
    assert float(terms["dice"]) == pytest.approx(0.0, abs=1e-4)
    assert float(terms["entropy"]) == pytest.approx(0.0, abs=1e-4)


def test_a_stopped_run_goes_on_to_the_bit(trained: Path, labels_file: Path, faces: Faces, tmp_path: Path) -> None:
    times = iter([0.0, 0.0, 0.0, 10.0, *[20.0] * 20])
    halted = Run(tmp_path, workers=0, threads=1, seconds=5.0)
    course = ParsingCourse(CONFIG, labels_file)
    train(course, faces, 0, halted, clock=lambda: next(times), tell=io.StringIO())
    assert 0 < checkpoint.load(tmp_path / LATEST)["done"] < STEPS
    train(course, faces, 0, replace(halted, seconds=None), tell=io.StringIO())
    first, second = (checkpoint.load(path)["step"]["average"] for path in (trained, tmp_path / LATEST))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_begins_with_the_weights_of_another(trained: Path, labels_file: Path) -> None:
    step = ParsingCourse(CONFIG, labels_file, begin=trained).step(torch.device("cpu"))
    begun, kept = step.state_dict()["network"], checkpoint.load(trained)["step"]["average"]
    assert all(torch.equal(begun[name], kept[name]) for name in kept)


def test_kept_weights_are_those_of_the_checkpoint_but_for_rounding(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    keep(begun(trained), path)
    for name, value in begun(trained).items():
        assert torch.allclose(begun(path)[name], value, rtol=2e-3, atol=1e-6)
    with pytest.raises(SettingError, match="is no file of weights"):
        begun(tmp_path / "missing.npz")


def test_weights_of_something_else_are_refused(tmp_path: Path, labels_file: Path) -> None:
    path = tmp_path / "other.pt"
    checkpoint.save(path, {"kind": "oneshot-live"})
    with pytest.raises(SettingError, match="expected a checkpoint of kind parsing"):
        ParsingCourse(CONFIG, labels_file, begin=path).step(torch.device("cpu"))


def test_the_bundle_computes_what_the_network_does(trained: Path, bundle: Bundle, faces: Faces) -> None:
    assert (bundle.family, bundle.main) == ("parsing", "segmenter")
    kinds = [node.op_type for node in onnx.load_model(bundle.graph("segmenter").path).graph.node]
    assert kinds.count("SpaceToDepth") == 2, "one before the first convolution, one where the picture joins again"
    assert "DepthToSpace" not in kinds
    family = family_of(bundle.kind, "the bundle")
    exact = replace(bundle, graphs=(bundle.graph("segmenter"),))
    rows = compare(exact, list(family.examples(exact, faces, 2, 1)), 1, read_trained(trained).graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert not list(beyond(family.bounds, rows))


def test_int8_is_chosen_by_labels(bundle: Bundle, told: list[str], faces: Faces) -> None:
    bundle = read_bundle(bundle.folder)
    assert bundle.precisions("segmenter") == ("fp32", "int8")
    assert "int8" in bundle.precisions_for_auto
    assert re.fullmatch(
        r"int8, .*: -?0\.\d{4} of mean IoU less than fp32 against the truth, "
        r"\d+\.\d\d % of labels the same against fp32, "
        "2 unseen portraits",
        told[1],
    )
    family = family_of(bundle.kind, "the bundle")
    rows = compare(bundle, list(family.examples(bundle, faces, 2, 1)), 1, measure=family.measure)
    assert all(row.truth is not None for row in rows)
    assert not list(beyond(family.bounds, rows, family.measure))
    worse = [replace(row, truth=0.0) if row.precision == "int8" else row for row in rows]
    assert any(
        "of mean IoU against the truth, got 0.0000" in line for line in beyond(family.bounds, worse, family.measure)
    )


def test_labels_are_measured_where_they_are_known() -> None:
    labels = np.zeros((256, 256), np.uint8)
    labels[:, 128:] = classes.HAIR
    logits = np.zeros((1, len(classes.CLASSES), 128, 128), np.float32)
    logits[:, classes.BACKGROUND, :, :64] = logits[:, classes.HAIR, :, 64:] = 1
    wrong = np.zeros_like(logits)
    known, unknown = Example({}, {}, labels=labels), Example({}, {})
    measure = LabelMeasure()
    assert measure.to_truth([{"labels": logits}], [unknown]) == ()
    assert measure.to_truth([{"labels": logits}], [known]) == (1.0,)
    assert measure.to_truth([{"labels": wrong}], [known]) == (0.25,)
    assert measure.likeness([{"labels": logits}], [{"labels": wrong}]) == 0.5


def test_the_command_knows_the_configurations(labels_file: Path) -> None:
    course = course_of("parsing-smoke", Asked(steps=2, packed=labels_file, weights=[("dice", 0.25)]))
    assert course.said() == "entropy 1, dice 0.25, coarse 0.5"
    assert [part.steps for part in course.parts] == [2]
    with pytest.raises(SettingError, match="--mouths is for configurations oneshot-live"):
        course_of("parsing", Asked(packed=labels_file, mouths=Path("ict")))


def test_agreement_counts_each_class(labelled: Labelled) -> None:
    same = Agreement.of((labels, labels) for labels in labelled.labels)
    assert same.accuracy == same.mean_iou() == 1.0
    truth = np.array([[0, 0, 1, 255]], np.uint8)
    found = np.array([[0, 1, 1, 1]], np.uint8)
    half = Agreement.of([(truth, found)])
    assert half.iou[:2].tolist() == [0.5, 0.5]
    assert half.accuracy == pytest.approx(2 / 3)
    assert np.isnan(half.iou[2:]).all()


def test_time_is_told_of_pictures_that_are_all_of_the_crop(labelled: Labelled) -> None:
    clock, seen = ManualClock(), set()

    def takes_two_milliseconds(picture: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.uint8]:
        clock.advance(0.002)
        seen.add(picture.shape)
        np.testing.assert_allclose(crop_matrix(fit_pose(landmarks)), np.eye(2, 3), atol=1e-6)
        return np.zeros(picture.shape[:2], np.uint8)

    assert milliseconds(labelled, takes_two_milliseconds, clock) == {"least": 2.0, "p10": 2.0, "p50": 2.0}
    assert seen == {(256, 256, 3)}


def test_measures_ask_for_every_picture(labelled: Labelled) -> None:
    asked: list[int] = []

    def all_skin(picture: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.uint8]:
        asked.append(len(landmarks))
        return np.full(picture.shape[:2], classes.SKIN, np.uint8)

    agreement = against_labels(labelled, all_skin)
    assert asked == [478] * len(labelled)
    assert 0 < agreement.iou[classes.SKIN] < 1
    assert agreement.iou[classes.HAIR] == 0
    assert [on_drawn(labelled, all_skin, kind) for kind in DRAWN] == [0.0] * len(DRAWN)
