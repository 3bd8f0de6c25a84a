"""What a segmenter learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.face import classes
from mien_export.families.parsing.drawn import Worn, with_body
from mien_export.families.parsing.labelled import Labelled
from mien_export.families.parsing.samples import Samples, moved_flow, photographed

SIDE = 192


def _worn(labelled: Labelled) -> Worn:
    return Worn(labelled.pictures[0], labelled.labels[0], labelled.landmarks[0].astype(np.float64))


def test_samples_are_the_same_for_the_same_seed(labels_file: Path) -> None:
    first, again, other = (Samples(labels_file, seed, SIDE) for seed in (3, 3, 4))
    for number in range(3):
        pictures = [samples(number)[0] for samples in (first, again, other)]
        assert (pictures[0] == pictures[1]).all()
        assert (pictures[0] != pictures[2]).any()


def test_samples_have_the_wanted_side_and_known_labels(labels_file: Path) -> None:
    samples = Samples(labels_file, 0, SIDE)
    for number in range(12):
        picture, labels = samples(number)
        assert picture.shape == (SIDE, SIDE, 3)
        assert labels.shape == (SIDE, SIDE)
        assert picture.dtype == labels.dtype == np.uint8
        assert ((labels < len(classes.CLASSES)) | (labels == 255)).all()


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (Worn.glasses, classes.GLASSES),
        (Worn.earrings, classes.EARRING),
        (Worn.necklace, classes.NECKLACE),
        (Worn.hat, classes.HAT),
    ],
)
def test_what_is_drawn_is_labelled_where_the_picture_changed(draw: object, kind: int, labelled: Labelled) -> None:
    assert callable(draw)
    seen = 0
    for seed in range(6):
        worn = _worn(labelled)
        draw(worn, np.random.default_rng(seed))
        drawn = worn.labels == kind
        changed = (worn.picture != labelled.pictures[0]).any(axis=2)
        assert changed[drawn].mean() > 0.9 if drawn.any() else True
        assert (worn.labels[~drawn] == labelled.labels[0][~drawn]).all()
        seen += bool(drawn.any())
    assert seen >= 4


def test_a_hat_leaves_no_hair_above_it(labelled: Labelled) -> None:
    worn = _worn(labelled)
    worn.hat(np.random.default_rng(0))
    top = np.flatnonzero((worn.labels == classes.HAT).any(axis=1))[0]
    assert not (worn.labels[:top] == classes.HAIR).any()


def test_a_window_lies_within_the_picture_where_nothing_is_moved_far() -> None:
    flows = [moved_flow(256, 128, np.random.default_rng(seed)) for seed in range(20)]
    middles = np.array([flow[64, 64] for flow in flows])
    assert (middles > 0).all()
    assert (middles < 256).all()
    steps = [np.abs(np.diff(flow, axis=1)).max() for flow in flows]
    assert max(steps) < 3.0


def test_a_body_is_cloth_below_the_picture(labelled: Labelled) -> None:
    given = labelled.pictures[0], labelled.labels[0], labelled.mattes[0]
    for seed in range(5):
        picture, labels, person = with_body(*given, np.random.default_rng(seed))
        assert picture.shape[:2] == labels.shape == person.shape
        for whole, part in zip((picture, labels, person), given, strict=True):
            assert (whole[:256] == part).all()
        added = labels[256:]
        assert set(np.unique(added).tolist()) <= {classes.BACKGROUND, classes.HAIR, classes.NECK, classes.CLOTH}
        assert (added[-1][person[-1] > 127] == classes.CLOTH).all()
        assert (added == classes.CLOTH).mean() > 0.2


def test_light_changes_colours_and_no_shapes() -> None:
    picture = np.full((32, 32, 3), 128, np.uint8)
    for seed in range(10):
        lit = photographed(picture, np.random.default_rng(seed))
        assert lit.shape == picture.shape
        assert lit.dtype == np.uint8
