from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM, lid_gaps, lip_gaps
from mien.face.pose import angles_of
from mien.face.topology import PARTS
from mien.paint.erase import NOTHING
from mien_export.data.faces import Faces
from mien_export.data.hint import ALIKE, OtherMouths, opening
from mien_export.data.pairs import Pair, _missed_rims, crop, prepared, sharp_crop
from mien_export.data.perturb import TURN_LIMIT, Perturbation, narrowed, perturbed
from mien_export.data.sampler import Sampler, Sampling, mirrored_face
from mien_export.data.variety import Variety

TEETH, EYES = PARTS.index("teeth"), PARTS.index("eyes")
PLAIN = Variety(opened=0.0, closing=0.0, pursed=0.0, edited=0.0, shut=0.0, occluded=0.0)


@pytest.fixture(scope="module")
def whole(faces: Faces) -> list[Pair]:
    sampler = Sampler(faces, Sampling(seed=3, side=256), variety=PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mien_export.data.sampler.ANOTHERS", 0.0)
        return [sampler(number) for number in range(12)]


def error(pair: Pair, where: NDArray[np.bool_]) -> float:
    return float(np.abs(pair.warped.astype(int) - pair.target)[where].mean())


def test_a_number_says_all(faces: Faces) -> None:
    a, b, other = Sampler(faces, Sampling(seed=1)), Sampler(faces, Sampling(seed=1)), Sampler(faces, Sampling(seed=2))
    b(5)
    first, again = a(9), b(9)
    for field in fields(Pair):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(again, field.name))
    assert not np.array_equal(first.target, other(9).target)


def test_the_source_warped_back_is_the_truth_where_a_warp_can_know(whole: list[Pair]) -> None:
    for pair in whole:
        skin = (pair.parsing[0] == 255) & (pair.valid == 255) & (pair.parsing[[TEETH, EYES]].max(axis=0) == 0)
        kept = skin & ~(pair.warped == NOTHING).all(axis=2)
        assert error(pair, kept) < 0.5 * np.abs(pair.source.astype(int) - pair.target)[kept].mean() + 3


def test_the_inner_mouth_is_never_in_the_warped_picture(whole: list[Pair]) -> None:
    mouths = [pair for pair in whole if (pair.parsing[TEETH] > 128).sum() > 20]
    assert mouths
    for pair in mouths:
        assert (pair.warped[pair.parsing[TEETH] > 128] == NOTHING).all()


def test_hints_show_the_truths_mouth_and_nothing_else(whole: list[Pair]) -> None:
    hinted = [pair for pair in whole if (pair.hint != NOTHING).any()]
    assert 4 <= len(hinted) <= 12
    for pair in hinted:
        assert (pair.hint[pair.parsing[TEETH] == 0] == NOTHING).all()
        inside = pair.parsing[TEETH] > 250
        if inside.sum() > 20:
            assert np.abs(pair.hint.astype(int) - pair.target)[inside].mean() < 60


def test_mouths_of_others_are_opened_alike(faces: Faces) -> None:
    others, rng = OtherMouths(faces), np.random.default_rng(0)
    for index in range(faces.count):
        landmarks, identity = faces.landmarks(index), faces.identity(index)
        found = others.draw(landmarks, identity, rng)
        fits = [
            number
            for number in range(faces.count)
            if faces.identity(number) != identity
            and np.abs(opening(faces.landmarks(number)) - opening(landmarks)).sum() <= ALIKE
        ]
        assert (found is None) == (not fits)
        assert found is None or found in fits
    widest = max(map(faces.landmarks, range(faces.count)), key=lambda landmarks: float(opening(landmarks).sum()))
    assert others.draw(widest * [1, 9, 1], "nobody", rng) is None  # nobody opens so wide


def test_openings_are_gaps_in_mouth_widths(faces: Faces) -> None:
    landmarks = faces.landmarks(0)
    np.testing.assert_allclose(opening(landmarks * 3 + 5), opening(landmarks), atol=1e-9)


def test_cuts_are_parts_of_the_whole(whole: list[Pair]) -> None:
    cut = whole[0].cut(48, 96, 128)
    np.testing.assert_array_equal(cut.target, whole[0].target[96:224, 48:176])
    np.testing.assert_array_equal(cut.parsing, whole[0].parsing[:, 96:224, 48:176])
    np.testing.assert_allclose(cut.flow + [48, 96], whole[0].flow[96:224, 48:176], atol=1e-4)


def test_a_mirrored_face_fits_its_landmarks(faces: Faces) -> None:
    picture, landmarks = faces.picture(0), faces.landmarks(0)
    twice = mirrored_face(*mirrored_face(picture, landmarks))
    np.testing.assert_array_equal(twice[0], picture)
    np.testing.assert_allclose(twice[1], landmarks)
    mirrored = mirrored_face(picture, landmarks)[1]
    assert mirrored[33, 0] < mirrored[263, 0]


def test_faces_move_as_faces_can(faces: Faces) -> None:
    portrait = prepared(faces.picture(0), faces.landmarks(0))
    rng = np.random.default_rng(0)
    moved = [perturbed(portrait, rng) for _ in range(60)]
    gaps, lids = [lip_gaps(m.shape) for m in moved], [lid_gaps(m.shape) for m in moved]
    assert min(gap.min() for gap in gaps) > -1e-9
    assert sum(gap.max() < 1e-6 for gap in gaps) > 5
    assert sum(gap.max() > 0.15 for gap in gaps) > 5
    assert sum(float(lid.max()) < 0.01 for lid in lids) > 3
    assert min(lid.min() for lid in lids) > -1e-9
    turns = np.array([[angles_of(m.pose.rotation).yaw, angles_of(m.pose.rotation).pitch] for m in moved])
    assert turns.std(axis=0).min() > 2
    assert (np.abs(turns).max(axis=0) <= np.array(TURN_LIMIT) + 1).all()


def test_another_contour_leaves_the_inner_parts(faces: Faces) -> None:
    portrait = prepared(faces.picture(0), faces.landmarks(0))
    other = prepared(faces.picture(faces.count - 1), faces.landmarks(faces.count - 1)).rest
    still = Perturbation(yaw=0, pitch=0, roll=0, smooth=0, contour=1.0)
    plain = Perturbation(yaw=0, pitch=0, roll=0, smooth=0, contour=0.0)
    with_it = perturbed(portrait, np.random.default_rng(4), other, still).shape
    without = perturbed(portrait, np.random.default_rng(4), other, plain).shape
    way = np.linalg.norm((with_it - without)[:, :2], axis=1)
    assert way[[10, 152, 234, 454]].mean() > 5 * way[[1, 4, 6, 168]].mean()


def test_a_mouth_that_is_kept_stays_as_open_as_it_was(faces: Faces) -> None:
    number = max(range(faces.count), key=lambda k: float(opening(faces.landmarks(k)).sum()))
    portrait = prepared(faces.picture(number), faces.landmarks(number))
    own = lip_gaps(portrait.shape)
    for seed in range(8):
        gaps = lip_gaps(perturbed(portrait, np.random.default_rng(seed), None, Perturbation(mouth=False)).shape)
        assert (gaps <= own + 1e-9).all()
        assert (gaps >= 0.8 * np.maximum(own, 0) - 1e-9).all()


def test_pursed_lips_are_shut_and_narrower(faces: Faces) -> None:
    portrait = prepared(faces.picture(0), faces.landmarks(0))
    for seed in range(5):
        target = narrowed(portrait, np.random.default_rng(seed))
        widths = [abs(float(shape[291, 0] - shape[61, 0])) for shape in (target.shape, portrait.shape)]
        assert 0.5 < widths[0] / widths[1] < 0.97
        np.testing.assert_allclose(lip_gaps(target.shape), 0.0, atol=1e-6)


def test_rims_are_missed_by_a_share_of_the_opening(faces: Faces) -> None:
    numbers = sorted(range(faces.count), key=lambda k: float(opening(faces.landmarks(k)).sum()))
    shut, wide = (prepared(faces.picture(k), faces.landmarks(k)) for k in (numbers[0], numbers[-1]))
    still = Perturbation(yaw=0, pitch=0, roll=0, smooth=0, contour=0, mouth=False)
    misses = []
    for portrait in (shut, wide):
        moved = perturbed(portrait, np.random.default_rng(0), None, still)
        found = np.array([_missed_rims(np.random.default_rng(seed), moved) for seed in range(20)])
        rims = np.union1d(UPPER_LIP_RIM, LOWER_LIP_RIM)
        assert not np.delete(found, rims, axis=1).any()
        misses.append(np.abs(found[:, rims]).mean())
    assert misses[1] > 2 * misses[0]


def test_the_truth_is_as_sharp_as_its_photograph() -> None:
    picture = np.random.default_rng(0).integers(60, 200, (256, 256, 3)).astype(np.uint8)
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    assert sharp_crop(picture, half).std() > 1.2 * crop(picture, half).std()
    whole = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 2.0]])
    np.testing.assert_array_equal(sharp_crop(picture, whole)[5:250, 5:250], crop(picture, whole)[5:250, 5:250])
