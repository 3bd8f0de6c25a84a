"""The networks trained here: what they see, what their losses reward, and their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import SettingError
from mien_export.data.faces import Faces

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.train.extractors import embedding_training, landmarks_training  # noqa: E402
from mien_export.train.extractors.embedding_training import EmbeddingRun, contrast, split, verify  # noqa: E402
from mien_export.train.extractors.landmarks_training import LandmarkRun, mean_error  # noqa: E402
from mien_export.train.extractors.own import (  # noqa: E402  # noqa: E402
    POINTS,
    WINDOW,
    FaceEmbedding,
    LandmarkNet,
    face_window,
    landmark_consistency,
    open_embedding,
    save_weights,
)
from mien_export.train.extractors.views import Looks, looks_of  # noqa: E402


@pytest.fixture(scope="module")
def looks(faces: Faces) -> Looks:
    return looks_of(faces, 3, seed=0)


def crops(count: int, side: int = 64) -> Any:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("side", [64, 128, 256])
def test_the_window_is_the_same_part_at_every_size(side: int) -> None:
    ramp = ((torch.arange(side) + 0.5) / side).expand(1, 3, side, side)
    seen = face_window(ramp)
    left, _, width = WINDOW
    expected = left + width * (torch.arange(64) + 0.5) / 64
    torch.testing.assert_close(seen[0, 0, 30], expected, atol=0.5 / side, rtol=0)


def test_embeddings_are_of_length_one_and_learnt_through() -> None:
    torch.manual_seed(0)
    network = FaceEmbedding().eval().requires_grad_(False)
    picture = crops(2).requires_grad_()
    vectors = network(picture)
    assert vectors.shape == (2, 128)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    vectors[:, 0].sum().backward()
    assert picture.grad.abs().sum() > 0


def test_contrast_rewards_pairs() -> None:
    people = torch.eye(4)
    apart = contrast(torch.cat([people, people]))
    mixed = contrast(torch.cat([people, people.roll(1, 0)]))
    assert apart < 0.01 < 9 < mixed


def test_people_with_two_photographs_are_held_out(looks: Looks) -> None:
    people = torch.cat([looks.people, looks.people[:3]])
    train, held = split(replace(looks, people=people), seed=0)
    assert not set(train) & set(held)
    assert set(train) | set(held) == set(people.tolist())


def test_training_an_embedding_tells_people_apart(looks: Looks, capsys: pytest.CaptureFixture[str]) -> None:
    people = np.unique(looks.people.numpy())
    network = embedding_training.fit(looks, people, EmbeddingRun(steps=12, people=len(people)))
    found = verify(network, looks, people, every=1)
    assert found.area > 0.6
    again = embedding_training.fit(looks, people, EmbeddingRun(steps=12, people=len(people)))
    assert torch.equal(network.trunk[0].weight, again.trunk[0].weight)


def test_training_landmarks_brings_them_nearer(looks: Looks) -> None:
    torch.manual_seed(0)
    trained = landmarks_training.fit(looks, LandmarkRun(steps=25, batch=16))
    middle = torch.tensor([WINDOW[0] + WINDOW[2] / 2, WINDOW[1] + WINDOW[2] / 2])
    guessing = (looks.landmarks[:, list(POINTS)] - middle).norm(dim=2).mean()
    assert mean_error(trained, looks) < 0.7 * guessing


def test_landmark_consistency_is_zero_for_one_picture_and_moves_only_the_painted() -> None:
    torch.manual_seed(0)
    network = LandmarkNet().eval().requires_grad_(False)
    painted, truth = crops(2).requires_grad_(), crops(2).flip(-1).requires_grad_()
    assert landmark_consistency(network, painted, painted) == 0
    torch.autograd.backward(landmark_consistency(network, painted, truth))
    assert painted.grad.abs().sum() > 0
    assert truth.grad is None


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceEmbedding().eval()
    save_weights(network, tmp_path / "own.npz")
    opened = open_embedding(tmp_path / "own.npz")
    torch.testing.assert_close(opened(crops(2)), network(crops(2)), atol=2e-3, rtol=0)
    assert not any(weight.requires_grad for weight in opened.parameters())
    assert not opened.training


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    with pytest.raises(SettingError, match="holds no weights for FaceEmbedding"):
        open_embedding(path)
    path.write_bytes(b"nothing")
    with pytest.raises(SettingError, match="holds no weights for FaceEmbedding"):
        open_embedding(path)
    save_weights(LandmarkNet(), path)
    with pytest.raises(SettingError, match="size mismatch"):
        open_embedding(path)
    np.savez(path, code=np.array([object()], dtype=object))
    with pytest.raises(SettingError, match="holds no weights"):
        open_embedding(path)
