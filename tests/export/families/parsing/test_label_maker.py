"""Labels of the packaged portraits of nobody, and of frames of the packaged driver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError
from mien.face import classes, topology
from mien_export.families.parsing.label_maker import UNKNOWN
from mien_export.families.parsing.labelled import Labelled, load, save
from mien_export.families.parsing.measure import DRAWN, MADE
from mien_export.families.parsing.quality import consistency, label_again

CHEEKS = (50, 280)
SIDE = 256


def test_each_part_is_where_its_landmarks_are(labelled: Labelled) -> None:
    parts = (
        (topology.LEFT_EYE, classes.LEFT_EYE),
        (topology.RIGHT_EYE, classes.RIGHT_EYE),
        ((105, 52), classes.LEFT_BROW),
        ((334, 282), classes.RIGHT_BROW),
        ((4, 1), classes.NOSE),
    )
    for labels, landmarks in zip(labelled.labels, labelled.landmarks, strict=True):
        for outline, kind in parts:
            x, y = np.rint(landmarks[list(outline), :2].mean(axis=0)).astype(int)
            assert labels[y, x] == kind
        for cheek in CHEEKS:
            x, y = np.rint(landmarks[cheek, :2]).astype(int)
            assert labels[y, x] in (classes.SKIN, UNKNOWN)


def test_left_is_the_pictures_left(labelled: Labelled) -> None:
    columns = np.arange(SIDE)
    for labels in labelled.labels:
        for left, right in ((classes.LEFT_EYE, classes.RIGHT_EYE), (classes.LEFT_BROW, classes.RIGHT_BROW)):
            assert (labels == left).sum(axis=0) @ columns / (labels == left).sum() < (
                (labels == right).sum(axis=0) @ columns / (labels == right).sum()
            )


def test_hair_is_above_cloth_below_and_the_backdrop_beside(labelled: Labelled) -> None:
    for labels, matte in zip(labelled.labels, labelled.mattes, strict=True):
        assert (labels[: SIDE // 4] == classes.HAIR).sum() > 5 * (labels[: SIDE // 4] == classes.CLOTH).sum()
        assert (labels[-SIDE // 16 :] == classes.CLOTH).any() or (labels[-SIDE // 16 :] == classes.NECK).any()
        away = matte < 5
        assert (labels[away] == classes.BACKGROUND).mean() > 0.98


def test_what_cannot_be_found_is_not_labelled(labelled: Labelled) -> None:
    found = set(np.unique(labelled.labels).tolist())
    assert not found & set(DRAWN)
    assert found - {UNKNOWN} <= set(MADE)


def test_a_mirrored_picture_has_mirrored_labels(labelled: Labelled) -> None:
    agreement = consistency(labelled.pictures[:2], label_again, "flip")
    assert agreement.accuracy > 0.95
    assert agreement.mean_iou() > 0.75


def test_labels_are_kept_whole(labelled: Labelled, labels_file: Path) -> None:
    kept = load(labels_file)
    for name in ("pictures", "labels", "mattes", "landmarks"):
        assert (getattr(kept, name) == getattr(labelled, name)).all()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    path.write_bytes(b"something else")
    with pytest.raises(SettingError, match="is no file of labels"):
        load(path)
    with pytest.raises(SettingError, match="is no file of labels"):
        load(tmp_path / "missing.npz")


def test_labels_replace_older_ones(labelled: Labelled, tmp_path: Path) -> None:
    path = tmp_path / "new" / "labels.npz"
    for _ in range(2):
        save(path, labelled)
    assert [found.name for found in path.parent.iterdir()] == ["labels.npz"]
