"""The table of portraits of nobody: what is asked and found is compared as it should be."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.face import classes
from mien.face.traits import INDEX
from mien.nobody.maker import open_maker
from mien.parse.models import FaceMesh
from mien_bench.avatars.made import DEMANDS, Avatar, agreements, drawn, landmark_error, met
from mien_bench.command import main
from mien_bench.face_video.resegmentation import mean_iou

Pixels = NDArray[np.uint8]


class Told:
    """A judge that says what it is told."""

    name = "told"

    def __init__(self, labels: Pixels) -> None:
        self.labels = labels

    def __call__(self, picture: Pixels) -> Pixels:
        assert picture.shape == (256, 256, 3)
        return self.labels


def avatar(asked: Pixels) -> Avatar:
    return Avatar(0, np.zeros((512, 512, 3), np.uint8), asked, np.random.default_rng(0).random((478, 3)) * 512)


def test_maps_are_compared_with_those_asked_for() -> None:
    asked = np.zeros((256, 256), np.uint8)
    asked[:128] = classes.HAIR
    half = asked.copy()
    half[:64] = classes.BACKGROUND
    assert mean_iou(agreements([avatar(asked)], Told(asked))[0]) == 1
    assert mean_iou(agreements([avatar(asked)], Told(half))[0]) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_picture_without_a_face_has_no_landmark_error() -> None:
    with FaceMesh(still=True) as mesh:
        assert landmark_error(avatar(np.zeros((256, 256), np.uint8)), mesh) is None


def test_a_wish_is_met_where_the_trait_differs_as_it_should() -> None:
    assert met(2.0, 1.0)
    assert not met(1.0, 2.0)
    assert not met(None, 1.0)
    assert not met(1.0, None)
    assert {demand.trait for demand in DEMANDS} >= set(INDEX) - {"fringe"}


def test_portraits_are_drawn_as_they_were_asked_for() -> None:
    with open_maker(1) as maker:
        one, two = list(drawn(maker, 2, 1))
    assert one.picture.shape == (512, 512, 3)
    assert (one.picture != two.picture).any()
    assert (one.asked == classes.LEFT_EYE).any()


def test_a_maker_that_is_not_there_is_refused_first() -> None:
    with pytest.raises(ModelError, match="nowhere"):
        main(["quality", "--table", "avatars", "--avatar-model", "nowhere"])
