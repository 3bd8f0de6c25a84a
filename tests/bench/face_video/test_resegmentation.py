"""Table 3: maps of pictures that were made from maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.classes import CLASSES, HAIR, LEFT_EYE, RIGHT_EYE, SKIN
from mien.portrait.portrait import Portrait
from mien_bench.face_video import resegmentation
from mien_bench.face_video.judges import MAKER, PACKAGED, open_judges
from mien_bench.face_video.resegmentation import (
    REAL,
    Sitter,
    accuracy,
    agreement,
    mean_iou,
    measure,
    open_generators,
    rows,
    table,
    targets,
)

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
UNKNOWN = 255


@dataclass(frozen=True)
class Greys:
    """A judge whose classes are the picture's first channel."""

    name: str = MAKER

    def __call__(self, picture: Pixels) -> Pixels:
        return picture[..., 0].copy()


@dataclass(frozen=True)
class Painted:
    """A generator that paints classes as grey levels, and gives some hair away."""

    bald: int = 0
    name: str = "painted"

    def __call__(self, picture: Pixels, landmarks: Array, labels: Pixels) -> Pixels:
        assert labels.max() < len(CLASSES)
        out = labels.copy()
        out[: self.bald][out[: self.bald] == HAIR] = SKIN
        return np.repeat(out[..., None], 3, axis=2)


def drawn() -> Sitter:
    """Hair above skin, an eye on each side, and one place that is not known."""
    labels = np.full((256, 256), SKIN, np.uint8)
    labels[:64] = HAIR
    labels[100:110, 60:80], labels[100:110, 176:196] = LEFT_EYE, RIGHT_EYE
    labels[128, 128] = UNKNOWN
    return Sitter("drawn", np.repeat(labels[..., None], 3, axis=2), np.zeros((478, 3)))


def test_agreement_is_counted_by_class() -> None:
    truth = np.array([[SKIN, SKIN, HAIR, UNKNOWN]], np.uint8)
    counts = agreement(truth, np.array([[SKIN, HAIR, HAIR, HAIR]], np.uint8))
    assert accuracy(counts) == pytest.approx(2 / 3)
    assert mean_iou(counts) == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_a_generator_is_judged_beside_the_real_picture() -> None:
    real, good, worse = measure([drawn(), drawn()], [Painted(), Painted(32, "bald")], [Greys()])
    assert (real.generator, good.generator, worse.generator) == (REAL, "painted", "bald")
    whole = [accuracy(one.counts.sum(axis=0)) for one in (real, good, worse)]
    assert whole[1:] == pytest.approx([1.0, 1 - 32 * 256 / (256 * 256 - 1)])
    assert whole[0] > 0.99, "a mirrored map is mirrored back, left and right in their places"
    shown = table([real, good, worse])
    assert shown.rows[1][1] == "1.000 [1.000, 1.000]"
    assert [shown.rows[place][0] for place in shown.quoted] == ["paper: SPADE", "paper: batch norm", "paper: pix2pix"]
    assert [check.kept for check in targets([real, good, worse])] == [True, True, False, True]
    assert {row.condition["judge"] for row in rows([real, good, worse])} == {MAKER}


def test_what_is_not_known_is_given_to_a_generator_as_its_surroundings() -> None:
    filled = resegmentation._known(drawn().picture[..., 0])
    assert filled[128, 128] == SKIN
    assert (filled != drawn().picture[..., 0]).sum() == 1


def test_both_judges_read_a_face_and_find_none_in_grey(people: dict[str, Portrait]) -> None:
    pytest.importorskip("torch", reason="the export package is not installed in full")
    sitter = Sitter.of("mira", people["mira"].pixels, people["mira"].landmarks)
    with open_judges(1) as (judges, notes):
        assert ([judge.name for judge in judges], notes) == ([PACKAGED, MAKER], [])
        maps = [judge(sitter.picture) for judge in judges]
        assert not judges[1](np.full_like(sitter.picture, 128)).any()
    assert accuracy(agreement(maps[1], maps[0])) > 0.85


def test_a_generator_that_is_not_here_is_told() -> None:
    with open_generators(["no-such-model", "parsing"], 1) as (found, notes):
        assert not found
    assert [note.split(":")[1].strip() for note in notes] == ["no row for no-such-model", "no row for parsing"]
