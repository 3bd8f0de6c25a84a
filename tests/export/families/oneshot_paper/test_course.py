"""A course of training: the extractors that a user has, the samples of its stages, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import SettingError
from mien_export.data.faces import Faces

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.families.oneshot_paper.config import CONFIGS, PaperStage  # noqa: E402
from mien_export.families.oneshot_paper.course import PaperCourse  # noqa: E402
from mien_export.families.oneshot_paper.losses import PaperLosses  # noqa: E402
from mien_export.train.extractors.given import Given  # noqa: E402
from mien_export.train.extractors.own import FaceEmbedding, save_weights  # noqa: E402
from mien_export.train.extractors.vgg import Vgg16, random_vgg16  # noqa: E402

CPU = torch.device("cpu")
NARROW = CONFIGS["paper-64"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    save_weights(FaceEmbedding(), tmp_path / "own.npz")
    return tmp_path / "own.npz"


def test_a_course_trains(faces: Faces, own: Path) -> None:
    torch.manual_seed(0)
    course = PaperCourse(NARROW, Given(identity=own))
    sample = course.samples(faces, seed=1, part=0)
    terms = course.step(CPU)(course.collate([sample(0), sample(1)]))
    assert all(np.isfinite(value) for value in terms.values())
    assert len(terms) == 6


def test_stages_differ_in_what_surrounds_the_face(faces: Faces) -> None:
    stage = PaperStage(1, 2, 1e-4, background=True)
    course = PaperCourse(replace(NARROW, stages=(*NARROW.stages, stage)))
    masked, full = (course.samples(faces, 0, i)(0)["reference"] for i in (0, 1))
    assert (masked == 0).mean() > 0.3
    assert (full == 0).mean() < 0.01


def test_trained_extractors_are_taken_by_path(tmp_path: Path, own: Path) -> None:
    torch.save(random_vgg16(seed=3).state_dict(), tmp_path / "vgg16.pth")
    extractors = PaperCourse(NARROW, Given(tmp_path / "vgg16.pth", own)).step(CPU).extractors
    assert isinstance(extractors.features, Vgg16)
    assert extractors.features.state_dict()["features.0.weight"].shape[0] == 64
    with pytest.raises(SettingError, match="no ONNX model"):
        PaperCourse(NARROW, Given(identity=tmp_path / "missing.onnx")).step(CPU)


def test_what_is_switched_off_is_not_opened(tmp_path: Path) -> None:
    config = replace(NARROW, losses=PaperLosses(identity=0, perceptual=0))
    extractors = PaperCourse(config, Given(tmp_path / "missing.pth", tmp_path / "missing.npz")).step(CPU).extractors
    assert extractors.features is None
    assert extractors.identity is None


def test_a_course_says_its_terms_and_what_they_look_through(own: Path) -> None:
    assert PaperCourse(CONFIGS["paper-64-no-concat"]).said() == (
        "appearance 25, reconstruction 25, identity 1 (own small embedding), "
        "perceptual 1 (VGG-16 with random weights), adversarial 1; without concatenation"
    )
    off = replace(NARROW, losses=PaperLosses(appearance=3, identity=0, adversarial=0))
    said = PaperCourse(off, Given(vgg=Path("some/vgg16.pth"))).said()
    assert said == "appearance 3, reconstruction 25, perceptual 1 (VGG-16 from vgg16.pth)"
