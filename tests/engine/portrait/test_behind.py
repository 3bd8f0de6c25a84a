from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.portrait.behind import fill_behind, fill_drawing, fill_plain
from mien.portrait.exemplar import fill_by_patches

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]
SIDE = 160


def hole() -> Bits:
    """What a head and shoulders leave of a picture."""
    ys, xs = np.mgrid[:SIDE, :SIDE]
    head = ((xs - 80) / 30) ** 2 + ((ys - 75) / 40) ** 2 < 1
    return np.asarray(~(head | ((ys > 120) & (abs(xs - 80) < 60))))


def disc() -> Pixels:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    inside = np.hypot(xs - 80, ys - 75) < 60
    out = np.full((SIDE, SIDE, 3), (150, 205, 200), np.uint8)
    out[inside] = 200, 230, 225
    return out


def gradient(noise: float) -> Pixels:
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    even = np.stack([90 + 0.3 * xs, 110 + 0.2 * ys, 150 - 0.2 * xs + 0.1 * ys], axis=-1)
    noisy = even + np.random.default_rng(2).normal(0, noise, even.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), dtype=np.uint8)


def test_a_drawing_goes_on_in_its_own_colours() -> None:
    picture, known = disc(), hole()
    out = fill_behind(np.where(known[..., None], picture, np.uint8(20)).astype(np.uint8), known)
    np.testing.assert_array_equal(out[known], picture[known])
    above = ~known & (np.mgrid[:SIDE, :SIDE][0] < 110)
    assert (np.abs(out[above].astype(int) - picture[above]).max(axis=1) <= 2).mean() > 0.97


def test_a_plain_background_goes_on_as_its_gradient() -> None:
    picture, known = gradient(1.5), hole()
    out = fill_behind(np.where(known[..., None], picture, np.uint8(20)).astype(np.uint8), known)
    np.testing.assert_array_equal(out[known], picture[known])
    off = out[~known].astype(float) - gradient(0)[~known]
    assert abs(off.mean()) < 1
    assert np.abs(off).max() < 12
    assert 0.5 < off.std() < 4, "with the picture's grain"


def test_what_is_neither_is_put_together_from_patches() -> None:
    picture, known = gradient(1.5), hole()
    picture[:, ::8] //= 2
    assert fill_drawing(picture, known) is None
    assert fill_plain(picture, known) is None
    np.testing.assert_array_equal(fill_behind(picture, known), fill_by_patches(picture, known))


def test_it_is_the_same_each_time_and_all_or_nothing_known_is_no_error() -> None:
    picture, known = gradient(1.5), hole()
    np.testing.assert_array_equal(fill_behind(picture, known), fill_behind(picture, known))
    np.testing.assert_array_equal(fill_behind(picture, np.ones_like(known)), picture)
    assert fill_behind(picture, np.zeros_like(known)).shape == picture.shape
