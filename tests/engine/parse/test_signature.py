from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.cuts import brighter, close_up

from mien.capture.image import resized
from mien.parse.signature import Signature, colours_apart, is_blank, signature_of, structure_apart

Pixels = NDArray[np.uint8]


def apart(a: Pixels, b: Pixels) -> float:
    found = structure_apart(seen(a), seen(b))
    assert found is not None
    return found


def seen(picture: Pixels) -> Signature:
    return signature_of(np.ascontiguousarray(picture), 0.0)


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_light_changes_colours_and_not_the_structure(name: str, pictures: dict[str, Pixels]) -> None:
    picture = pictures[name]
    for other in (brighter(picture, 120), (picture * 0.4).astype(np.uint8)):
        assert apart(picture, other) < 0.2
        assert colours_apart(seen(picture), seen(other)) > 0.5


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_another_framing_changes_the_structure(name: str, pictures: dict[str, Pixels]) -> None:
    picture = pictures[name]
    assert apart(picture, close_up(picture, 1.3)) > 0.4
    assert apart(picture, close_up(picture, 2.0)) > 0.6


def test_size_noise_and_an_alpha_channel_change_nothing(pictures: dict[str, Pixels]) -> None:
    picture = pictures["aldo"]
    noise = np.random.default_rng(0).normal(0, 8, picture.shape)
    clear = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    assert apart(picture, resized(picture, 320, 180)) < 0.05
    assert apart(picture, np.clip(picture + noise, 0, 255).astype(np.uint8)) < 0.05
    assert apart(picture, clear) == pytest.approx(0.0, abs=1e-6)


def test_pictures_of_a_few_pixels_have_a_look() -> None:
    assert not is_blank(seen(np.arange(0, 252, 14, dtype=np.uint8).reshape(3, 2, 3)))


def test_a_blank_picture_has_no_structure_to_compare(pictures: dict[str, Pixels]) -> None:
    blank = seen(np.full((48, 64, 3), 250, np.uint8))
    assert is_blank(blank)
    assert structure_apart(blank, seen(pictures["aldo"])) is None
    assert colours_apart(blank, blank) == pytest.approx(0.0, abs=1e-6)


def test_only_what_lies_within_is_compared(pictures: dict[str, Pixels]) -> None:
    picture = pictures["aldo"]
    other = picture.copy()
    other[:, 256:] = other[:, :255:-1]
    left = np.zeros((15, 15), np.bool_)
    left[:, :6] = True
    assert structure_apart(seen(picture), seen(other), left) == pytest.approx(0.0, abs=1e-6)
    assert structure_apart(seen(picture), seen(other), np.zeros_like(left)) is None
