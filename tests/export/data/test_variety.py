"""Two mouths of one person: which of the two is the photograph, and what a source keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.contacts import set_lip_gaps
from mien.face.pose import fit_pose
from mien_export.data.hint import opening
from mien_export.data.mouth_render import warmth
from mien_export.data.open_mouth import MouthModel
from mien_export.data.pairs import manufacture, prepared
from mien_export.data.perturb import Perturbation, perturbed
from mien_export.data.skin import LUMA
from mien_export.data.variety import Varied, Variety, _cast, closing, is_shut, varied

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
NOTHING_ELSE = Variety(opened=0.0, closing=0.0, pursed=0.0, edited=0.0, shut=0.0, occluded=0.0)


@pytest.fixture(scope="module")
def shut(landmarks: Array) -> Array:
    pose = fit_pose(landmarks)
    return pose.apply(set_lip_gaps(pose.undo(landmarks), np.zeros(9)))


def drawn(make: Callable[[np.random.Generator], Varied], count: int = 6) -> list[Varied]:
    return [make(np.random.default_rng(seed)) for seed in range(count)]


def test_closing_asks_an_open_mouth_for_the_photograph(picture: Pixels, shut: Array, model: MouthModel) -> None:
    for one in drawn(lambda rng: closing(picture, shut, rng, model, NOTHING_ELSE)):
        assert is_shut(one.landmarks)
        assert opening(one.source_landmarks).max() > opening(one.landmarks).max() + 0.02
        assert one.mouth_kept
        brow = int(shut[[70, 300], 1].min()) - 8
        assert np.abs(one.truth[:brow].astype(int) - one.source[:brow]).mean() < 4  # one light, one camera


def test_an_open_truth_comes_from_the_photograph_or_from_itself(
    picture: Pixels, shut: Array, model: MouthModel
) -> None:
    variety = Variety(opened=1.0, closing=0.0, pursed=0.0, edited=0.0, shut=0.0, occluded=0.0)
    made = drawn(lambda rng: varied(picture, shut, rng, model, variety), 12)
    assert all(opening(one.landmarks).max() > 0.02 for one in made)
    kept = [one for one in made if one.mouth_kept]
    assert 2 <= len(kept) <= 11
    assert all(is_shut(one.source_landmarks) for one in kept)
    assert all(one.truth is one.source for one in made if not one.mouth_kept)


def test_pursed_lips_are_asked_for_and_come_both_ways(picture: Pixels, shut: Array) -> None:
    variety = Variety(opened=0.0, closing=0.0, pursed=1.0, edited=0.0, shut=0.0, occluded=0.0)

    def width(landmarks: Array) -> float:
        return float(np.linalg.norm(landmarks[291, :2] - landmarks[61, :2]))

    made = drawn(lambda rng: varied(picture, shut, rng, None, variety), 10)
    ways = [width(one.landmarks) - width(one.source_landmarks) for one in made]
    assert min(ways) < -1
    assert max(ways) > 1


def test_a_source_with_an_open_mouth_shows_what_is_in_it(picture: Pixels, shut: Array, model: MouthModel) -> None:
    one = next(one for one in drawn(lambda rng: closing(picture, shut, rng, model, NOTHING_ELSE), 20) if _wide(one))
    portrait, truth = prepared(one.source, one.source_landmarks), prepared(one.truth, one.landmarks)
    moved = perturbed(portrait, np.random.default_rng(1), None, Perturbation(mouth=False, contour=0.0))
    shown, anew = (manufacture(portrait, moved, np.random.default_rng(1), None, truth, kept) for kept in (True, False))
    inside = shown.source_parsing[topology.PARTS.index("teeth")] == 255
    away = shown.source_parsing[0] == 0
    assert np.abs(shown.source.astype(int) - anew.source)[inside].mean() > 2
    assert np.abs(shown.source.astype(int) - anew.source)[away].mean() < 0.5
    assert (shown.parsing[topology.PARTS.index("teeth")] > 128).mean() < 1e-3  # the lips are shut


def _wide(one: Varied) -> bool:
    inside = outline_mask(one.source_landmarks[list(topology.INNER_LIPS), :2], (256, 256))
    return float(inside.sum()) > 300


def test_teeth_are_as_warm_as_the_light_on_the_skin() -> None:
    plain, warm = np.array([0.44, 0.3, 0.22]), np.array([0.6, 0.3, 0.1])
    np.testing.assert_allclose(warmth(plain), 1 / LUMA.sum(), atol=0.02)
    assert warmth(warm)[0] / warmth(warm)[2] > 1.5
    assert warmth(warm) @ LUMA == pytest.approx(1.0)


def test_casts_are_warm_more_often_than_cold() -> None:
    rng = np.random.default_rng(0)
    casts = np.array([_cast(rng) for _ in range(2000)])
    changed = casts[(casts != 1).any(axis=1)]
    assert 0.2 < len(changed) / len(casts) < 0.3
    assert (changed[:, 0] > changed[:, 2]).mean() > 0.65
