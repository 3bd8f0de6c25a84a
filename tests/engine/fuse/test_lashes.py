"""Lashes of closing eyes keep their width; the skin above them is what is stretched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.draw.eyes import eye_frame
from mien.face import topology
from mien.face.motion import identity_motion
from mien.fuse.fuse import Fuse
from mien.fuse.lashes import Lashes
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.reenact.reenact import Reenact

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    """A drawing with thick lashes."""
    return prepare(samples.portraits()["avatar"], size=512)[0]


def lids_of(portrait: Portrait, lids: float) -> tuple[Pixels, NDArray[np.float64]]:
    """The frame, without a network, with lids this far open in shares of the portrait's own, and its landmarks."""
    (posed,) = Reenact((portrait,))(replace(identity_motion(), lids=np.full(2, lids)), 0.0)
    return Fuse("none")((posed,)), posed.landmarks


def above_lids(pixels: Pixels, landmarks: NDArray[np.float64], portrait: Portrait) -> NDArray[np.float64]:
    """(N,) grey levels between the lashes of a shut eye and where its lid was when it was open."""
    found = []
    for eye in topology.EYES:
        own, ring = portrait.landmarks[list(eye), :2], landmarks[list(eye), :2]
        frame = eye_frame(ring)
        for point in (3, 4, 5):
            fallen = float(frame.local(ring[point])[1] - frame.local(own[point])[1])
            heights = np.arange(0.16, max(fallen, 0.17), 0.01)
            x, y = np.rint(ring[point] - heights[:, None] * frame.axes[1]).astype(int).T
            found.append(pixels[y, x].mean(axis=1))
    return np.concatenate(found)


def test_a_drawn_lash_line_does_not_become_a_curtain(drawn: Portrait) -> None:
    lid = above_lids(*lids_of(drawn, 0.0), drawn)
    cheek = drawn.pixels[tuple(np.rint(drawn.landmarks[117, [1, 0]]).astype(int))].mean()
    assert len(lid) > 20
    assert np.percentile(lid, 5) > 0.7 * cheek


def test_a_shut_eye_has_a_line_of_its_lashes(drawn: Portrait) -> None:
    pixels, landmarks = lids_of(drawn, 0.0)
    for eye in topology.EYES:
        x, y = np.rint(landmarks[[eye[4]], :2]).astype(int)[0]
        assert pixels[y - 4 : y + 2, x].mean(axis=1).min() < 80


def test_open_eyes_keep_the_lashes_of_the_picture(drawn: Portrait) -> None:
    pixels = drawn.pixels.copy()
    lashes = Lashes(pixels, drawn.landmarks)
    with lashes.hidden(drawn.landmarks):
        np.testing.assert_array_equal(pixels, drawn.pixels)
    lashes.draw(drawn.landmarks, pixels)
    np.testing.assert_array_equal(pixels, drawn.pixels)


def test_pixels_are_as_before_after_they_were_warped(drawn: Portrait) -> None:
    pixels = drawn.pixels.copy()
    lashes = Lashes(pixels, drawn.landmarks)
    _, shut = lids_of(drawn, 0.0)
    with pytest.raises(ZeroDivisionError), lashes.hidden(shut):
        changed = (pixels != drawn.pixels).any(axis=2)
        raise ZeroDivisionError
    assert changed.sum() > 200
    np.testing.assert_array_equal(pixels, drawn.pixels)


def test_eyes_at_a_border_and_pale_lashes_are_left_alone(portrait: Portrait) -> None:
    pale = np.full_like(portrait.pixels, 180)
    assert Lashes(pale, portrait.landmarks).widths == (0.0, 0.0)
    outside = portrait.landmarks - (10.0 * portrait.size[0], 0, 0)
    assert Lashes(portrait.pixels.copy(), outside).widths == (0.0, 0.0)
