"""Boundary resampling: the contour becomes another person's, the inner parts stay, the skin between follows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import PARTS, canonical_face
from mien.face.untangle import folded
from mien.paint.parsing import parsing_map
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien_export.families.oneshot_paper.pairs import CONTOUR, INNER, resampled

Array = NDArray[np.float64]
STAY = np.eye(2, 3)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    pose = Similarity(rotation_of(Angles(8.0, -4.0, 3.0)), np.array([100.0, 90.0, 0.0]), 70.0)
    return prepare_portrait(np.zeros((200, 200, 3), np.uint8), pose.apply(canonical_face().points), None)


def wider(portrait: Portrait, share: float) -> Array:
    return np.asarray(portrait.shape * np.array([share, 1.05, 1.0]))


def test_the_contour_is_the_others_and_inner_parts_stay(portrait: Portrait) -> None:
    other = wider(portrait, 1.12)
    target = resampled(portrait, other)
    np.testing.assert_allclose(target.landmarks[CONTOUR], portrait.pose.apply(other)[CONTOUR], atol=1e-9)
    np.testing.assert_allclose(target.landmarks[INNER], portrait.landmarks[INNER], atol=1e-9)
    irises = np.concatenate([np.array(iris) for iris in topology.IRISES])
    np.testing.assert_allclose(target.landmarks[irises], portrait.landmarks[irises], atol=1e-9)
    np.testing.assert_allclose(target.pose.apply(target.shape), target.landmarks, atol=1e-9)


def test_skin_between_moves_less_than_the_contour(portrait: Portrait) -> None:
    target = resampled(portrait, wider(portrait, 1.12))
    moved = np.linalg.norm(target.landmarks - portrait.landmarks, axis=1)
    between = np.setdiff1d(np.arange(topology.SKIN_COUNT), np.concatenate([CONTOUR, INNER]))
    assert moved[between].max() < moved[CONTOUR].max()
    assert (moved[between] > 0.01).sum() > 100


def test_ones_own_contour_changes_nothing(portrait: Portrait) -> None:
    np.testing.assert_allclose(resampled(portrait, portrait.shape).landmarks, portrait.landmarks, atol=1e-9)


def test_a_very_narrow_contour_gives_way_instead_of_folding(portrait: Portrait) -> None:
    other = wider(portrait, 0.6)
    straight = portrait.pose.apply(other)
    target = resampled(portrait, other)
    assert not folded(target.landmarks[:, :2], portrait.pose.scale).any()
    assert np.abs(target.landmarks[CONTOUR] - straight[CONTOUR]).max() > 1


def test_only_the_face_channel_of_the_parsing_map_changes(portrait: Portrait) -> None:
    before = parsing_map(portrait.landmarks, STAY, (200, 200))
    after = parsing_map(resampled(portrait, wider(portrait, 1.12)).landmarks, STAY, (200, 200))
    face = PARTS.index("face")
    assert after[face].sum() > 1.05 * before[face].sum()
    np.testing.assert_allclose(np.delete(after, face, axis=0), np.delete(before, face, axis=0), atol=1e-4)
