from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face.contacts import lip_gaps
from mien.face.pose import Angles, rotation_of
from mien.face.topology import canonical_face
from mien.portrait.building import check_face, prepare_portrait
from mien.portrait.person import fill, matte_of
from mien.portrait.portrait import Portrait

SHAPE = canonical_face().points


def posed(scale: float, yaw: float = 0.0, pitch: float = 0.0) -> NDArray[np.float64]:
    return np.asarray(SHAPE @ rotation_of(Angles(yaw, pitch, 0.0)).T * scale + [200, 150, 0])


def test_a_small_face_is_refused_in_one_line() -> None:
    with pytest.raises(FaceError, match=r"too small: its eyes are 9 pixels apart, at least 16") as refusal:
        check_face(posed(9.0))
    assert "\n" not in str(refusal.value)
    check_face(posed(20.0))


@pytest.mark.parametrize(("yaw", "pitch"), [(60, 0), (-65, 0), (0, 58)])
def test_a_face_turned_away_is_refused_in_one_line(yaw: float, pitch: float) -> None:
    with pytest.raises(FaceError, match=r"turned away by \d+ degrees, at most 50") as refusal:
        check_face(posed(60.0, yaw, pitch))
    assert "\n" not in str(refusal.value)


def test_a_face_turned_a_little_is_taken() -> None:
    check_face(posed(60.0, 30, 10))


def test_a_portrait_is_measured_consistently(portrait: Portrait) -> None:
    np.testing.assert_allclose(portrait.pose.apply(portrait.shape), portrait.landmarks, atol=1e-6)
    assert portrait.landmarks.shape == (478, 3)
    np.testing.assert_allclose(lip_gaps(portrait.rest), 0.0, atol=1e-9)
    assert len(portrait.digest) == 64


def test_portraits_pickle_and_keep_their_digest(portrait: Portrait) -> None:
    again = pickle.loads(pickle.dumps(portrait))
    assert again.digest == portrait.digest
    np.testing.assert_array_equal(again.pixels, portrait.pixels)
    np.testing.assert_array_equal(again.shape, portrait.shape)


def test_the_matte_holds_the_face_and_leaves_the_corners(portrait: Portrait) -> None:
    assert portrait.matte is not None
    assert portrait.background is not None
    x, y = np.rint(portrait.landmarks[4, :2]).astype(int)
    assert portrait.matte[y, x] == 255
    assert portrait.matte[2, 2] == 0
    kept = portrait.matte == 0
    np.testing.assert_array_equal(portrait.background[kept], portrait.pixels[kept])


def test_a_mask_that_misses_the_face_or_all_else_is_not_believed() -> None:
    landmarks = posed(60.0)
    assert matte_of(np.zeros((300, 400), np.float32), landmarks) is None
    assert matte_of(np.ones((300, 400), np.float32), landmarks) is None


def test_without_a_mask_there_is_no_background() -> None:
    pixels = np.full((300, 400, 3), 99, np.uint8)
    portrait = prepare_portrait(pixels, posed(60.0), None)
    assert portrait.matte is None
    assert portrait.background is None


def test_filling_keeps_what_is_known_and_is_smooth_elsewhere() -> None:
    ys, xs = np.mgrid[0:120, 0:161]
    pixels = np.stack([40 + xs, 60 + ys, 90 + (xs + ys) / 4], axis=-1).astype(np.uint8)
    known = np.hypot(xs - 80, ys - 60) > 45
    spoiled = np.where(known[..., None], pixels, 255).astype(np.uint8)
    out = fill(spoiled, known)
    np.testing.assert_array_equal(out[known], pixels[known])
    assert np.abs(out.astype(int) - pixels)[~known].max() < 40, "a ramp is carried on, about"
    steps = [np.abs(np.diff(out.astype(int), axis=axis)).max() for axis in (0, 1)]
    assert max(steps) <= 12


def test_filling_knows_its_limits() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fill(pixels, np.ones((33, 47), bool)), pixels)
    np.testing.assert_array_equal(fill(pixels, np.zeros((33, 47), bool)), pixels)
    one = np.zeros((33, 47), bool)
    one[5, 40] = True
    assert (fill(pixels, one) == pixels[5, 40]).all()
