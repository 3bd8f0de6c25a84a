"""Opened mouths: as wide as told, dark inside, teeth with the skull, and nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.measures import channels_of
from mien.face.pose import Angles
from mien_export.data.open_mouth import MouthModel, Opening, open_mouth, random_opening, with_opening

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
STILL = Angles(0.0, 0.0, 0.0)


def _opened(picture: Pixels, landmarks: Array, model: MouthModel, jaw: float, seed: int = 0) -> tuple[Pixels, Array]:
    opening = Opening({"jawOpen": jaw}, (0.0, 0.0), STILL)
    return with_opening(picture, landmarks, opening, np.random.default_rng(seed), model)


def _inside(landmarks: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.asarray(outline_mask(landmarks[list(topology.INNER_LIPS), :2], (shape[0], shape[1])) > 0.99)


def test_the_wider_the_jaw_the_wider_the_mouth_and_the_lower_the_chin(
    picture: Pixels, landmarks: Array, model: MouthModel
) -> None:
    mouths = [_opened(picture, landmarks, model, jaw)[1] for jaw in (0.1, 0.4, 0.8)]
    gaps = [channels_of(found)[0] for found in mouths]
    chins = [found[152, 1] for found in mouths]
    assert gaps == sorted(gaps)
    assert chins == sorted(chins)
    assert gaps[2] - gaps[0] > 0.1
    assert chins[0] > landmarks[152, 1]


def test_the_upper_face_keeps_its_place(picture: Pixels, landmarks: Array, model: MouthModel) -> None:
    out, found = _opened(picture, landmarks, model, 0.4)
    brow = int(landmarks[[70, 300], 1].min()) - 5
    rigid = np.array(topology.RIGID)
    np.testing.assert_allclose(found[rigid, :2], landmarks[rigid, :2], atol=1.0)
    assert np.abs(out[:brow].astype(int) - picture[:brow]).mean() < 2.0


def test_a_wide_mouth_is_darker_inside_than_its_lips_and_shows_teeth_on_top(
    picture: Pixels, landmarks: Array, model: MouthModel
) -> None:
    for seed in range(6):
        out, found = _opened(picture, landmarks, model, 0.8, seed)
        inside = _inside(found, picture.shape)
        rows = np.nonzero(inside)[0]
        half = rows.min() + 0.5 * (rows.max() - rows.min())
        grey = out.mean(axis=2)
        upper = grey[inside & (np.arange(len(grey))[:, None] < half)]
        lower = grey[inside & (np.arange(len(grey))[:, None] > half)]
        assert np.percentile(upper, 90) > np.percentile(lower, 50)
        assert np.median(lower) < 100  # lips and skin are above


def test_nothing_of_the_mouth_shows_outside_of_the_lips(picture: Pixels, landmarks: Array, model: MouthModel) -> None:
    one, found = _opened(picture, landmarks, model, 0.6, 1)
    other, _ = _opened(picture, landmarks, model, 0.6, 2)
    differs = np.abs(one.astype(int) - other).max(axis=2) > 3
    outline = found[list(topology.INNER_LIPS), :2]
    around = outline_mask(outline + 4 * np.sign(outline - outline.mean(axis=0)), (256, 256)) > 0
    assert differs.any()
    assert not (differs & ~around).any()


def test_the_same_seed_gives_the_same_picture(picture: Pixels, landmarks: Array, model: MouthModel) -> None:
    before = picture.copy(), landmarks.copy()
    first, second = (open_mouth(picture, landmarks, np.random.default_rng(7), model) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(picture, before[0])
    np.testing.assert_array_equal(landmarks, before[1])


def test_the_chin_stays_in_the_picture(picture: Pixels, landmarks: Array, model: MouthModel) -> None:
    low = landmarks + [0.0, 256 * 0.93 - landmarks[152, 1], 0.0]
    _, found = _opened(picture, low, model, 1.0)
    assert found[152, 1] < 256
    assert found[152, 1] - found[10, 1] > 0.9 * (low[152, 1] - low[10, 1])


def test_openings_cover_little_to_very_wide() -> None:
    rng = np.random.default_rng(3)
    jaws = np.array([random_opening(rng).weights["jawOpen"] for _ in range(300)])
    assert jaws.min() < 0.15
    assert jaws.max() > 0.9
    assert 0.35 < np.median(jaws) < 0.75


@pytest.mark.parametrize("seed", range(4))
def test_random_openings_make_pictures(picture: Pixels, landmarks: Array, model: MouthModel, seed: int) -> None:
    out, found = open_mouth(picture, landmarks, np.random.default_rng(seed), model)
    assert out.shape == picture.shape
    assert out.dtype == np.uint8
    assert np.isfinite(found).all()
    assert channels_of(found)[0] > 0.01
