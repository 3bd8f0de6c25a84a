"""Looks of training faces: landmarks stay on what they mark, and what surrounds a face can be changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien_export.data.faces import Faces

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.train.extractors import views  # noqa: E402
from mien_export.train.extractors.own import INPUT  # noqa: E402
from mien_export.train.extractors.views import LOOK, Looks, looks_of, varied  # noqa: E402


@pytest.fixture(scope="module")
def looks(faces: Faces) -> Looks:
    return looks_of(faces, 2, seed=0)


def random(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def test_every_photograph_has_its_looks(looks: Looks, faces: Faces) -> None:
    assert looks.pictures.shape == (2 * faces.count, 3, LOOK, LOOK)
    assert looks.landmarks.shape == (2 * faces.count, 478, 2)
    names = [faces.identity(i) for i in range(faces.count)]
    same = np.array(names)[:, None] == np.array(names)
    people = looks.people[::2].numpy()
    np.testing.assert_array_equal(people[:, None] == people, same)
    assert (looks.people[::2] == looks.people[1::2]).all()
    assert (looks.pictures[::2] != looks.pictures[1::2]).any()


def test_looks_are_those_of_their_seed(looks: Looks, faces: Faces) -> None:
    assert torch.equal(looks_of(faces, 2, seed=0).pictures, looks.pictures)
    assert not torch.equal(looks_of(faces, 2, seed=1).pictures, looks.pictures)


def test_landmarks_lie_in_the_faces_of_the_looks(looks: Looks) -> None:
    cheeks = (looks.landmarks[:, [50, 280]] * LOOK - 0.5).round().long()
    for face, points in zip(looks.faces, cheeks, strict=True):
        assert (face[0, points[:, 1], points[:, 0]] == 255).all()


@pytest.mark.parametrize("mirror", [False, True])
def test_landmarks_move_with_the_picture(mirror: bool) -> None:
    x, y = 49, 60
    at = (torch.tensor([[[x, y]]]).float() + 0.5).expand(16, 1, 2) / LOOK
    spots = torch.zeros(16, 1, LOOK, LOOK)
    spots[:, :, y - 3 : y + 4, x - 3 : x + 4] = 1
    moved, landmarks = views._placed(spots, at, random(), mirror)
    shares = (torch.arange(INPUT) + 0.5) / INPUT
    mass = moved.sum((1, 2, 3))
    middle = torch.stack([(moved.sum((1, 2)) @ shares) / mass, (moved.sum((1, 3)) @ shares) / mass], 1)
    assert (middle - landmarks[:, 0]).abs().max() < 0.5 / INPUT
    assert ((landmarks[:, 0, 0] > 0.5).any()) == mirror


def test_variations_are_those_of_their_generator(looks: Looks) -> None:
    rows = torch.arange(len(looks.people))
    (first, places), (again, _), (other, _) = (varied(looks, rows, random(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (len(rows), 3, INPUT, INPUT)
    assert places.shape == looks.landmarks.shape
    assert first.abs().max() <= 1


def test_half_of_the_faces_stand_before_nothing() -> None:
    values = torch.ones(64, 3, 8, 8)
    inside = torch.zeros(64, 1, 8, 8)
    inside[..., 2:6, 2:6] = 1
    out = views._surrounded(values, inside, random())
    assert (out[..., 2:6, 2:6] == 1).all()
    assert 20 <= (out[:, 0, 0, 0] == 0.5).sum() <= 44
