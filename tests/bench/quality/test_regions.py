from __future__ import annotations

import numpy as np
import pytest

from mien.face.contacts import set_lip_gaps
from mien.face.crop import SIDE
from mien.portrait.portrait import Portrait
from mien_bench.quality.picture_measures import averages
from mien_bench.quality.regions import REGIONS, crop_of, cut, regions_of


@pytest.fixture(scope="module")
def mira(people: dict[str, Portrait]) -> Portrait:
    return people["mira"]


def test_regions_share_out_all_of_the_picture_that_the_crop_shows(mira: Portrait) -> None:
    matrix = crop_of(mira.landmarks)
    regions = regions_of(mira.landmarks, mira.landmarks, matrix, mira.size)
    assert regions.min() >= 0
    shown = regions.sum(axis=0)
    assert set(np.unique(np.round(shown, 5))) <= {0.0, 1.0}
    assert shown.mean() > 0.5
    areas = dict(zip(REGIONS, regions.sum(axis=(1, 2)), strict=True))
    assert areas["uncovered"] < 1
    assert areas["rest"] > areas["face"] > areas["eyes"] > areas["lips"] > 0


def test_an_open_mouth_and_a_moved_face_have_regions(mira: Portrait) -> None:
    gaping = mira.pose.apply(set_lip_gaps(mira.rest, np.full(9, 0.2)))
    matrix = crop_of(gaping)
    there = regions_of(gaping, gaping, matrix, mira.size)
    assert there[REGIONS.index("inner_mouth")].sum() > 200
    aside = gaping + [12.0, 0.0, 0.0]
    moved = regions_of(gaping, aside, matrix, mira.size)
    uncovered = moved[REGIONS.index("uncovered")]
    assert uncovered.sum() > 500
    assert np.argwhere(uncovered > 0.5)[:, 1].mean() > SIDE / 2
    assert moved[:4] == pytest.approx(there[:4])


def test_averages_are_of_the_region_alone_and_unknown_where_there_is_none() -> None:
    regions = np.zeros((2, SIDE, SIDE), np.float32)
    regions[0, :10, :10] = 1
    regions[1, 0, :5] = 1
    values = np.full((SIDE, SIDE), 7.0, np.float32)
    values[:10, :10] = 3.0
    assert averages(values, regions) == pytest.approx([3.0, np.nan], nan_ok=True)


def test_a_crop_shows_landmarks_at_one_place_whatever_the_size_of_the_picture(mira: Portrait) -> None:
    small = cut(mira.pixels, crop_of(mira.landmarks)).astype(float)
    large_picture = mira.pixels.repeat(3, axis=0).repeat(3, axis=1)
    large_landmarks = (mira.landmarks + [0.5, 0.5, 0.0]) * 3 - [0.5, 0.5, 0.0]
    large = cut(large_picture, crop_of(large_landmarks)).astype(float)
    assert np.abs(small - large).mean() < 2.0
