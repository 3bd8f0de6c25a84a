from __future__ import annotations

import numpy as np

from mien.portrait.exemplar import fill_by_patches
from mien.portrait.person import fill


def test_stripes_go_on_through_a_hole() -> None:
    stripes = np.where((np.arange(224) // 12) % 2 == 0, 200, 60).astype(np.uint8)
    picture = np.tile(stripes[None, :, None], (224, 1, 3))
    known = np.ones((224, 224), bool)
    known[80:140, 70:150] = False
    broken = np.where(known[..., None], picture, np.uint8(128))
    out = fill_by_patches(broken, known)
    np.testing.assert_array_equal(out[known], picture[known])
    off = np.abs(out.astype(int) - picture)[~known].mean()
    smooth = np.abs(fill(broken, known).astype(int) - picture)[~known].mean()
    assert smooth > 50
    assert off < smooth / 2


def test_a_gradient_of_light_goes_on_evenly() -> None:
    y, x = np.mgrid[:120, :160].astype(float)
    rng = np.random.default_rng(0)
    picture = np.clip(60 + x + rng.normal(0, 6, x.shape), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    known = (x - 80) ** 2 + (y - 60) ** 2 > 30**2
    out = fill_by_patches(picture, known)
    hole = ~known
    apart = out.astype(float) - (60 + x)[..., None]
    assert np.abs(apart[hole].mean()) < 6
    assert abs(apart[55:65, 55:65].mean() - apart[55:65, 95:105].mean()) < 15
    assert 3 < apart[hole].std() < 14, "its grain is that of the rest"


def test_only_what_is_wanted_is_filled_by_patches_and_nothing_known_is_changed() -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (80, 80, 3), np.uint8)
    known = np.zeros((80, 80), bool)
    known[:, :50] = True
    wanted = np.zeros_like(known)
    wanted[20:40, 50:60] = True
    out = fill_by_patches(picture, known, wanted)
    np.testing.assert_array_equal(out[known], picture[known])
    assert out[wanted].std() > 2 * out[60:, 60:].std()


def test_with_next_to_nothing_known_it_is_smooth() -> None:
    picture = np.full((40, 40, 3), 90, np.uint8)
    known = np.zeros((40, 40), bool)
    known[20, 20] = True
    assert (fill_by_patches(picture, known) == 90).all()
    assert (fill_by_patches(picture, np.ones_like(known)) == picture).all()
