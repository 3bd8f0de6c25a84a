"""Shut eyes are the portrait's own lids whatever was painted; open ones are painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import topology
from mien.face.motion import identity_motion
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed
from mien.reenact.reenact import Reenact

Pixels = NDArray[np.uint8]
NAMES = ("aldo", "mira", "teo")
SIDE = 256


def looking(portrait: Portrait, left: float, right: float | None = None) -> Posed:
    """With lids this far open, in shares of the portrait's own."""
    lids = np.array([left, left if right is None else right])
    return Reenact((portrait,))(replace(identity_motion(), lids=lids), 0.0)[0]


def painted(posed: Posed) -> Painting:
    """The whole picture painted green."""
    width, height = posed.portrait.size
    matrix = np.array([[SIDE / width, 0.0, 0.0], [0.0, SIDE / height, 0.0]])
    green = np.full((SIDE, SIDE, 3), (0, 255, 0), np.uint8)
    return Painting(green, np.zeros((SIDE, SIDE), np.float32), matrix)


def is_paint(pixels: Pixels) -> bool:
    """Green, but for the grain that paint is given."""
    return bool(np.abs(pixels.astype(int) - (0, 255, 0)).max() < 40)


def around(posed: Posed, eye: tuple[int, ...]) -> tuple[slice, slice]:
    x, y = np.rint(posed.landmarks[list(eye), :2].mean(axis=0)).astype(int)
    half = max(int(0.2 * np.linalg.norm(np.diff(posed.landmarks[[eye[0], eye[8]], :2], axis=0))), 1)
    return slice(y - half // 2, y + half // 2 + 1), slice(x - half, x + half + 1)


@pytest.mark.parametrize("name", NAMES)
def test_shut_eyes_are_as_without_a_generator(name: str, portraits: dict[str, Portrait]) -> None:
    posed = looking(portraits[name], 0.0)
    bare, shown = (Fuse("none")((posed,), (painting,)) for painting in (None, painted(posed)))
    for eye in topology.EYES:
        place = around(posed, eye)
        np.testing.assert_allclose(shown[place].astype(int), bare[place], atol=1)


@pytest.mark.parametrize("lids", [0.6, 1.0, 1.3])
def test_open_eyes_are_painted(lids: float, portrait: Portrait) -> None:
    posed = looking(portrait, lids)
    shown = Fuse("none")((posed,), (painted(posed),))
    for eye in topology.EYES:
        assert is_paint(shown[around(posed, eye)])


def test_a_wink_is_of_one_eye(portrait: Portrait) -> None:
    posed = looking(portrait, 0.0, 1.0)
    shown = Fuse("none")((posed,), (painted(posed),))
    shut, open_ = (shown[around(posed, eye)] for eye in topology.EYES)
    assert is_paint(open_)
    assert not is_paint(shut)


def test_paint_gives_way_without_a_step(portrait: Portrait) -> None:
    """In time: a little more shut changes the picture a little."""
    eye = topology.EYES[0]
    values = []
    for lids in np.linspace(0.6, 0.0, 25):
        posed = looking(portrait, float(lids))
        values.append(Fuse("none")((posed,), (painted(posed),))[around(looking(portrait, 0.0), eye)].mean())
    assert np.abs(np.diff(values)).max() < 0.25 * (max(values) - min(values))


@pytest.mark.parametrize("lids", [0.0, 0.4, 1.0, 1.3])
def test_eyes_that_the_mask_keeps_are_those_without_a_generator(lids: float, portrait: Portrait) -> None:
    gaze = np.full((2, 2), (0.08, 0.0))
    motion = replace(identity_motion(), lids=np.full(2, lids), gaze=gaze)
    posed = Reenact((portrait,))(motion, 0.0)[0]
    kept = replace(painted(posed), mask=np.ones((SIDE, SIDE), np.float32))
    bare, shown = (Fuse("none")((posed,), (painting,)) for painting in (None, kept))
    for eye in topology.EYES:
        place = around(posed, eye)
        np.testing.assert_allclose(shown[place].astype(int), bare[place], atol=1)
