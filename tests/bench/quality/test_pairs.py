from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.errors import SourceError
from mien.face.contacts import lip_gaps, set_lip_gaps
from mien.face.measures import lower_face_height
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien_bench.quality.pairs import OPEN, another_face, pairs
from mien_bench.quality.people import unseen_faces


def test_only_unseen_photographs_are_taken_and_nobody_is_named(faces: Path) -> None:
    found = list(unseen_faces(faces / "faces"))
    assert [face.identity for face in found] == ["face 0", "face 1", "face 2"]
    assert all(face.pixels.shape == (256, 256, 3) for face in found)
    assert len(list(unseen_faces(faces / "faces", 2))) == 2


def test_a_folder_without_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"manifest\.csv.*--data"):
        list(unseen_faces(tmp_path))


def test_pairs_are_of_one_frame_and_come_again(faces: Path) -> None:
    photographs = list(unseen_faces(faces / "faces", 2))
    made, again = list(pairs(photographs, 2)), list(pairs(photographs, 2))
    assert [scene.identity for scene in made] == ["face 0", "face 0", "face 1", "face 1"]
    for scene, same in zip(made, again, strict=True):
        (moment,) = scene.moments
        assert scene.portrait.digest == same.portrait.digest
        assert scene.portrait.pixels.shape == moment.truth.shape
        away = np.abs(scene.portrait.landmarks - moment.landmarks)[:, :2].mean()
        assert 0.5 < away < 30
        assert moment.hints["none"] is None
        assert moment.hints["recoloured"] is not None
        assert moment.hints["another"] is not None
    assert made[0].portrait.digest != made[1].portrait.digest


def test_another_s_mouth_is_another_s(faces: Path) -> None:
    photographs = list(unseen_faces(faces / "faces", 2))
    first, _, second, _ = pairs(photographs, 2)
    own, other = first.moments[0].hints["another"], second.moments[0].hints["recoloured"]
    assert own is not None
    assert other is not None
    assert own.outline == pytest.approx(other.outline, abs=1.0)


def test_a_mouth_that_is_open_in_the_truth_is_hidden_in_the_portrait(people: dict[str, Portrait]) -> None:
    mira = people["mira"]
    gaping = mira.pose.apply(set_lip_gaps(mira.rest, np.full(9, 0.2)))
    photograph = prepare_portrait(mira.pixels, gaping, None)
    had = (lip_gaps(photograph.shape) / lower_face_height(photograph.rest)).max()
    assert had > OPEN
    random = np.random.default_rng(0)
    lips = [another_face(photograph, random).lips.max() for _ in range(40)]
    assert max(lips) <= 0.4 * had + 1e-9
    assert min(lips) == 0
