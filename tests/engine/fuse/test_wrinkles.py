"""Lines come with their expression, go with it, and stay where the face folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien.face.motion import identity_motion
from mien.face.topology import canonical_face
from mien.fuse.fuse import Fuse
from mien.fuse.wrinkles import BROW, CHEEK, DRAWN, LIFTED, RAISED, TOP, Wrinkles, lines_of, strengths
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.reenact.reenact import Reenact

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
STILL = identity_motion()
MUSCLES = {
    RAISED: ((105, 66, 107, 334, 296, 336), (0.0, -0.1)),
    DRAWN: ((107, 55, 336, 285), (0.0, 0.05)),
    CHEEK: ((117, 118, 346, 347), (0.0, -0.08)),
}


def moved(landmarks: tuple[int, ...], way: tuple[float, float]) -> Array:
    """(478, 3): offsets of the canonical face, in eye distances."""
    offsets = np.zeros((478, 3))
    offsets[list(landmarks), :2] = way
    return offsets


def raised(portrait: Portrait, much: float = 0.1) -> Posed:
    """With brows lifted by a share of the eye distance, all of the forehead's lower edge going along."""
    expression = moved((*BROW, *MUSCLES[RAISED][0]), (0.0, -much))
    return Reenact((portrait,))(replace(STILL, expression=expression), 0.0)[0]


@pytest.mark.parametrize("muscle", MUSCLES)
def test_a_movement_is_felt_as_its_own_muscle(muscle: int) -> None:
    face = canonical_face().points
    felt = strengths(face + moved(*MUSCLES[muscle]), face)
    assert felt[muscle] == pytest.approx(1.0, abs=0.15)
    assert np.delete(felt, [muscle, LIFTED]).max() < 0.6
    np.testing.assert_array_equal(strengths(face, face), 0)


def test_a_smile_lifts_the_folds_and_a_frown_does_not() -> None:
    face = canonical_face().points
    smile = moved((61,), (-0.1, -0.05)) + moved((291,), (0.1, -0.05))
    assert strengths(face + smile, face)[LIFTED] > 0.8
    assert strengths(face - smile, face)[LIFTED] <= 0


def test_a_face_as_in_the_picture_gets_no_line(portrait: Portrait) -> None:
    posed = Reenact((portrait,))(STILL, 0.0)
    np.testing.assert_array_equal(Fuse("none", wrinkles=2.0)(posed), Fuse("none")(posed))


def test_raised_brows_fold_the_forehead_and_nothing_else(portrait: Portrait) -> None:
    posed = raised(portrait)
    plain, folded = (Fuse("none", wrinkles=gain)((posed,)).astype(int) for gain in (0.0, 1.0))
    change = (folded - plain)[..., :3].sum(axis=2)
    y, x = np.nonzero(np.abs(change) > 12)
    low, high = posed.landmarks[list(TOP), 1].min(), posed.landmarks[list(BROW), 1].max()
    margin = 0.1 * eye_distance(posed.landmarks)
    assert len(y) > 50
    assert change.min() < -30 < 0 < change.max(), "a furrow is dark, and the skin beside it bright"
    assert y.min() > low - margin
    assert y.max() < high + margin
    assert x.min() > posed.landmarks[:468, 0].min()
    assert x.max() < posed.landmarks[:468, 0].max()


def test_lines_go_with_the_expression_and_leave_the_portrait_alone(portrait: Portrait) -> None:
    kept = portrait.pixels.copy()
    fuse, rest = Fuse("none", wrinkles=1.0), Reenact((portrait,))(STILL, 0.0)
    before = fuse(rest)
    fuse((raised(portrait),))
    np.testing.assert_array_equal(fuse(rest), before)
    np.testing.assert_array_equal(portrait.pixels, kept)


def test_their_strength_may_change_between_two_frames(portrait: Portrait) -> None:
    posed, fuse = (raised(portrait),), Fuse("none", wrinkles=0.0)
    plain = fuse(posed)
    fuse.wrinkles = 1.0
    np.testing.assert_array_equal(fuse(posed), Fuse("none", wrinkles=1.0)(posed))
    fuse.wrinkles = 0.0
    np.testing.assert_array_equal(fuse(posed), plain)


def test_lines_grow_with_the_movement_up_to_a_limit(portrait: Portrait) -> None:
    shown = []
    for much in (0.0, 0.03, 0.06, 0.1, 0.3, 0.6):
        pixels = portrait.pixels.copy()
        Wrinkles(portrait, pixels, np.zeros(2))(raised(portrait, much))
        shown.append(int(np.abs(pixels.astype(int) - portrait.pixels).sum()))
    assert shown[0] == 0
    assert all(np.diff(shown[:4]) > 0)
    assert shown[5] == pytest.approx(shown[4], rel=0.05)


def test_hair_over_the_forehead_is_not_folded(portrait: Portrait) -> None:
    skin = np.full(portrait.pixels.shape[:2], 255, np.uint8)
    middle = int(portrait.landmarks[10, 0])
    skin[:, middle:] = 0
    pixels = portrait.pixels.copy()
    Wrinkles(replace(portrait, skin=skin), pixels, np.zeros(2))(raised(portrait))
    changed = (pixels != portrait.pixels).any(axis=(0, 2))
    assert changed[: middle - 2].any()
    assert not changed[middle + 2 :].any()


def test_transparency_is_kept(portrait: Portrait) -> None:
    alpha = np.full((*portrait.pixels.shape[:2], 1), 7, np.uint8)
    pixels = np.concatenate([portrait.pixels, alpha], axis=2)
    Wrinkles(portrait, pixels, np.zeros(2))(raised(portrait))
    assert (pixels[..., :3] != portrait.pixels).any()
    np.testing.assert_array_equal(pixels[..., 3:], alpha)


def test_lines_are_the_same_each_time_and_differ_between_pictures(portrait: Portrait) -> None:
    one, again, other = (lines_of(portrait.landmarks, np.random.default_rng(seed)) for seed in (3, 3, 4))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.path, b.path)
    assert any(a.path.shape != b.path.shape or (a.path != b.path).any() for a, b in zip(one, other, strict=True))
