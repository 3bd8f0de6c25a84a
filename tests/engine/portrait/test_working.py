from __future__ import annotations

import numpy as np
import pytest

from mien.face.pose import Similarity, fit_pose
from mien.face.topology import canonical_face
from mien.portrait.person import fill
from mien.portrait.working import LARGEST, Working

HEIGHT, WIDTH = 1600, 1200


@pytest.fixture
def working() -> Working:
    return Working.of(np.zeros((HEIGHT, WIDTH, 3), np.uint8))


def test_a_picture_of_the_working_size_is_left_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, LARGEST, 3), np.uint8)
    same, values, points = Working.of(pixels), pixels[..., 0] / np.float32(255), np.ones((3, 3))
    pose = Similarity(np.eye(3), np.zeros(3), 1.0)
    assert same.share == 1
    assert same.shrunk(pixels) is pixels
    assert same.enlarged(values) is values
    assert same.sharpened(pixels, values > 0.5, pixels) is pixels
    assert same.points(points) is points
    assert same.pose(pose) is pose


def test_a_larger_one_is_shrunk_to_it(working: Working) -> None:
    assert working.size == (768, 1024)
    assert working.shrunk(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).shape == (1024, 768, 3)
    assert working.enlarged(np.zeros((1024, 768), np.float32)).shape == (HEIGHT, WIDTH)


def test_points_and_pixels_keep_together(working: Working) -> None:
    ys, xs = np.mgrid[:1024, :768].astype(np.float32)
    across, down = working.enlarged(xs), working.enlarged(ys)
    points = np.array([[200, 300, 9], [1001, 1502, 0]])
    for (x, y, _), (x_small, y_small, _) in zip(points, working.points(points.astype(float)), strict=True):
        assert across[y, x] == pytest.approx(x_small, abs=1e-3)
        assert down[y, x] == pytest.approx(y_small, abs=1e-3)


def test_poses_and_points_keep_together(working: Working) -> None:
    face = canonical_face().points
    pose = Similarity(fit_pose(face).rotation, np.array([600.0, 700.0, 5.0]), 250.0)
    np.testing.assert_allclose(working.pose(pose).apply(face), working.points(pose.apply(face)), atol=1e-9)


def test_only_what_is_known_all_around_keeps_its_own_pixels(working: Working) -> None:
    cells = np.zeros((1024, 768), np.bool_)
    cells[:, 300:] = True
    known = working.surely(cells)
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    out = working.sharpened(np.full((1024, 768, 3), 90, np.uint8), known, picture)
    np.testing.assert_array_equal(out[known], picture[known])
    plain = working.sharpened(np.full((1024, 768, 3), 90, np.uint8), known, np.full((HEIGHT, WIDTH, 3), 50, np.uint8))
    assert (plain[~known] == 90).all()
    assert known[:, 472:].all()
    assert not known[:, :468].any()


def test_filling_at_a_share_of_the_resolution_is_nearly_the_same() -> None:
    ys, xs = np.mgrid[0:240, 0:322]
    pixels = np.stack([40 + xs / 2, 60 + ys / 2, 90 + (xs + ys) / 8], axis=-1).astype(np.uint8)
    known = np.hypot(xs - 160, ys - 120) > 90
    spoiled = np.where(known[..., None], pixels, 255).astype(np.uint8)
    out, whole = fill(spoiled, known, 0.5), fill(spoiled, known)
    np.testing.assert_array_equal(out[known], pixels[known])
    assert np.abs(out.astype(int) - whole).max() < 8


def test_what_is_enlarged_has_the_grain_of_what_is_seen(working: Working) -> None:
    xs = np.arange(WIDTH)[:, None] / 12
    noise = 4 * np.random.default_rng(0).standard_normal((HEIGHT, WIDTH, 1))
    picture = np.repeat(np.clip(np.rint(60 + xs + noise), 0, 255), 3, axis=2).astype(np.uint8)
    known = np.zeros((HEIGHT, WIDTH), np.bool_)
    known[:, :400] = True
    out = working.sharpened(working.shrunk(picture), known, picture)
    detail = [np.diff(part.astype(float), n=2, axis=0).std() for part in (out[:, :400], out[:, 440:])]
    assert 0.75 < detail[1] / detail[0] < 1.1
