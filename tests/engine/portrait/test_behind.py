from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.portrait.behind import fill_drawing, fill_plain, fill_simple, taken_off
from mien.portrait.exemplar import fill_by_patches

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]
SIDE = 160
EYES = 20.0


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
    out = fill_simple(np.where(known[..., None], picture, np.uint8(20)).astype(np.uint8), known)
    assert out is not None
    np.testing.assert_array_equal(out[known], picture[known])
    above = ~known & (np.mgrid[:SIDE, :SIDE][0] < 110)
    assert (np.abs(out[above].astype(int) - picture[above]).max(axis=1) <= 2).mean() > 0.97


def test_a_plain_background_goes_on_as_its_gradient() -> None:
    picture, known = gradient(1.5), hole()
    out = fill_simple(np.where(known[..., None], picture, np.uint8(20)).astype(np.uint8), known)
    assert out is not None
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
    assert fill_simple(picture, known) is None
    matte = (~known).astype(np.float32)
    whole, out, clear = taken_off(picture, matte, np.zeros_like(matte), EYES)
    np.testing.assert_array_equal(whole, matte)
    np.testing.assert_array_equal(out, fill_by_patches(picture, clear))
    assert not (clear & ~known).any()


def test_it_is_the_same_each_time_and_all_or_nothing_known_is_no_error() -> None:
    picture, known = gradient(1.5), hole()
    once, again = fill_simple(picture, known), fill_simple(picture, known)
    assert once is not None
    assert again is not None
    np.testing.assert_array_equal(once, again)
    for nothing in (np.ones_like(known), np.zeros_like(known)):
        assert fill_simple(picture, nothing) is None
        matte = (~nothing).astype(np.float32)
        assert taken_off(picture, matte, np.zeros_like(matte), EYES)[1].shape == picture.shape


def test_trees_in_the_matte_that_are_surely_behind_stay_where_they_are() -> None:
    picture, known = gradient(1.5), hole()
    picture[:, ::8] //= 2
    trees = np.zeros_like(known)
    trees[60:100, 20:49] = True
    trees &= known
    behind, matte = trees.astype(np.float32), np.maximum(~known, 0.6 * trees).astype(np.float32)
    whole, out, clear = taken_off(picture, matte, behind, EYES)
    assert whole[trees].max() == 0
    np.testing.assert_array_equal(whole[~known], 1)
    inside = cv2.erode((trees & known).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert inside.sum() > 500
    assert clear[inside].all()
    np.testing.assert_array_equal(out[inside], picture[inside])


def test_before_a_plain_background_wisps_beside_the_matte_are_filled_over() -> None:
    picture, known = gradient(1.5), hole()
    beside = known & (cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    picture[beside] = 20
    _, out, clear = taken_off(picture, (~known).astype(np.float32), known.astype(np.float32), 3 * EYES)
    assert not clear[beside].any()
    assert out[beside].min() > 60
