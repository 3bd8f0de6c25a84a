"""Regions that cannot be take their neighbours' class; labels do not flip for one frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import classes
from mien.parsing.cleaning import Steady, cleaned, with_plain_background

Labels = NDArray[np.uint8]


def ellipse(labels: Labels, kind: int, x: int, y: int, wide: int, high: int) -> None:
    cv2.ellipse(labels, (x, y), (wide, high), 0, 0, 360, kind, -1)


@pytest.fixture
def head() -> Labels:
    """A face with all its parts, hair behind it, neck and cloth below."""
    labels = np.zeros((200, 200), np.uint8)
    labels[160:, 30:170] = classes.CLOTH
    ellipse(labels, classes.HAIR, 100, 60, 58, 45)
    labels[130:165, 80:120] = classes.NECK
    ellipse(labels, classes.LEFT_EAR, 52, 95, 8, 12)
    ellipse(labels, classes.RIGHT_EAR, 148, 95, 8, 12)
    ellipse(labels, classes.SKIN, 100, 90, 45, 55)
    ellipse(labels, classes.NOSE, 100, 95, 8, 12)
    for kind, x, y in (
        (classes.LEFT_EYE, 80, 80),
        (classes.RIGHT_EYE, 120, 80),
        (classes.LEFT_BROW, 80, 66),
        (classes.RIGHT_BROW, 120, 66),
        (classes.MOUTH, 100, 122),
    ):
        ellipse(labels, kind, x, y, 11, 4)
    return labels


def test_a_possible_map_stays(head: Labels) -> None:
    np.testing.assert_array_equal(cleaned(head), head)
    assert cleaned(head) is not head


def test_a_map_of_background_stays() -> None:
    empty = np.zeros((8, 8), np.uint8)
    np.testing.assert_array_equal(cleaned(empty), empty)


@pytest.mark.parametrize(
    ("kind", "x", "y", "size"),
    [
        (classes.LEFT_EYE, 20, 20, 6),  # an eye in the background
        (classes.RIGHT_EYE, 100, 150, 6),  # another one on the neck, and below it
        (classes.NOSE, 60, 180, 5),  # a nose on the cloth
        (classes.HAIR, 20, 120, 7),  # hair in the air
        (classes.SKIN, 60, 185, 8),  # skin in cloth
        (classes.NECK, 15, 60, 4),  # a neck in the air
        (classes.BACKGROUND, 100, 45, 2),  # a hole in the head
        (classes.BACKGROUND, 60, 180, 8),  # a hole in cloth
        (classes.HAT, 30, 180, 9),  # a hat on the shoulder
        (classes.NECKLACE, 100, 12, 4),  # a necklace above the head
        (classes.EARRING, 185, 40, 3),  # jewellery in the air
        (classes.CLOTH, 100, 60, 1),  # a speck on the forehead
    ],
)
def test_a_region_that_cannot_be_takes_its_neighbours_class(head: Labels, kind: int, x: int, y: int, size: int) -> None:
    wrong = head.copy()
    ellipse(wrong, kind, x, y, size, size)
    assert (wrong != head).any()
    assert (cleaned(wrong) != head).mean() < 0.25 * (wrong != head).mean()  # at an edge, of either neighbour's class


def test_parts_on_the_wrong_side_go(head: Labels) -> None:
    wrong = head.copy()
    wrong[head == classes.LEFT_BROW] = classes.SKIN
    ellipse(wrong, classes.LEFT_BROW, 136, 75, 5, 2)
    assert not (cleaned(wrong) == classes.LEFT_BROW).any()
    assert (cleaned(wrong) == classes.RIGHT_BROW).sum() == (head == classes.RIGHT_BROW).sum()


def test_a_label_that_flips_for_one_frame_is_not_shown(head: Labels) -> None:
    steady, odd = Steady(), head.copy()
    odd[20:60, 60:140] = classes.HAT
    shown = [steady(labels) for labels in (head, odd, head, odd, odd, odd)]
    for labels in shown[:4]:
        np.testing.assert_array_equal(labels, head)
    for labels in shown[4:]:  # real changes come one frame late
        np.testing.assert_array_equal(labels, odd)


def test_lids_are_not_held_back(head: Labels) -> None:
    steady, shut = Steady(), head.copy()
    shut[head == classes.LEFT_EYE] = classes.SKIN
    steady(head)
    np.testing.assert_array_equal(steady(shut), shut)
    np.testing.assert_array_equal(steady(head), head)


def test_a_cut_begins_anew(head: Labels) -> None:
    steady, other = Steady(), np.full_like(head, classes.CLOTH)
    steady(head)
    steady.forget()
    np.testing.assert_array_equal(steady(other), other)
    np.testing.assert_array_equal(steady(other[:50]), other[:50])


def test_the_background_becomes_one_colour(head: Labels) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*head.shape, 3), np.uint8)
    colour = np.array([10, 200, 90], np.uint8)
    plain = with_plain_background(picture, head, colour)
    assert (plain[:10, :30] == colour).all()
    inside = cv2.erode((head > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    np.testing.assert_array_equal(plain[inside], picture[inside])
