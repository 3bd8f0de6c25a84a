"""Traits tell one portrait from another as a person would."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tests.engine.nobody.test_drawing import landmarks, person

from mien.face import classes
from mien.face.traits import INDEX, RANGES, TRAITS
from mien.nobody.drawing import label_map
from mien.nobody.measuring import traits_of

Pixels = NDArray[np.uint8]


def seen(labels: Pixels, hair: tuple[int, int, int] = (60, 40, 30)) -> Pixels:
    picture = np.full((*labels.shape, 3), 180, np.uint8)
    picture[labels == classes.HAIR] = hair
    return picture


def trait(name: str, labels: Pixels, picture: Pixels | None = None, points: NDArray[np.float64] | None = None) -> float:
    given = seen(labels) if picture is None else picture
    return float(traits_of(given, labels, landmarks() if points is None else points)[INDEX[name]])


def test_there_is_a_range_for_every_trait() -> None:
    assert len(RANGES) == len(TRAITS)
    assert all(low < high for low, high in RANGES)


def test_glasses_and_hair_are_read_off_the_map() -> None:
    plain, worn = (label_map(person(glasses=glasses), 256) for glasses in (0.0, 1.0))
    assert trait("glasses", plain) == 0
    assert trait("glasses", worn) == 1
    bald = np.where(plain == classes.HAIR, np.uint8(classes.BACKGROUND), plain)
    assert trait("full-hair", bald) < trait("full-hair", plain)
    long = plain.copy()
    long[170:, :70] = classes.HAIR
    assert trait("long-hair", long) > trait("long-hair", plain)


def test_grey_hair_is_that_without_colour() -> None:
    labels = label_map(person(), 256)
    grey, brown = (trait("grey-hair", labels, seen(labels, hair)) for hair in ((150, 150, 152), (120, 70, 40)))
    assert grey > brown + 0.3


def test_mouth_and_turn_are_read_off_the_landmarks() -> None:
    labels = label_map(person(), 256)
    points = landmarks()
    opened = points.copy()
    opened[14, 1] += 12
    assert trait("open-mouth", labels, points=opened) > trait("open-mouth", labels) + 0.5
    turned = points.copy()
    turned[1, 0] += 6
    assert trait("turn", labels, points=turned) > trait("turn", labels) + 0.2
    smiling = points.copy()
    smiling[[61, 291], 1] -= 4
    assert trait("smile", labels, points=smiling) > trait("smile", labels)
