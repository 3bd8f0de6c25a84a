from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.eyes import Eyes, draw_lash_line, eye_frame, lash_colours
from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.motion import identity_motion
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.reenact.target import target_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
STILL = identity_motion()
NAMES = ("aldo", "mira", "teo")


def target(portrait: Portrait, lids: float = 1.0, gaze: float = 0.0) -> Array:
    motion = replace(STILL, lids=np.full(2, lids), gaze=np.array([[gaze, 0.0], [gaze, 0.0]]))
    return target_of(portrait, motion).landmarks


def drawn(portrait: Portrait, to: Array, skin: int = 200) -> Pixels:
    """The eyes alone, on skin of one colour."""
    out = np.full_like(portrait.pixels, skin)
    Eyes(portrait.pixels, portrait.landmarks)(to, out)
    return out


def inside(portrait: Portrait, ring: Array, margin: float = 0.0) -> NDArray[np.bool_]:
    middle = ring.mean(axis=0)
    shrunk = middle + (ring - middle) * (1 - margin)
    return outline_mask(shrunk, size_of(portrait.pixels)) > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_open_eyes_at_rest_are_the_pictures(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    out = portrait.pixels.copy()
    Eyes(portrait.pixels, portrait.landmarks)(portrait.landmarks, out)
    assert np.abs(out.astype(int) - portrait.pixels).max() <= 1


@pytest.mark.parametrize("lids", [0.75, 0.5])
@pytest.mark.parametrize("name", NAMES)
def test_closing_lids_hide_the_eye_without_squeezing_it(name: str, lids: float, portraits: dict[str, Portrait]) -> None:
    """Between half-closed lids every pixel shows what it showed between open ones."""
    portrait = portraits[name]
    to = target(portrait, lids)
    out = drawn(portrait, to)
    for eye in topology.EYES:
        seen = inside(portrait, to[list(eye), :2], 0.25) & inside(portrait, portrait.landmarks[list(eye), :2], 0.3)
        assert seen.sum() > 20
        off = np.abs(out.astype(int) - portrait.pixels)[seen]
        assert np.median(off) <= 1
        assert off.mean() < 4


def test_shut_lids_hide_it_all_behind_a_line_of_lashes(portrait: Portrait) -> None:
    out = drawn(portrait, target(portrait, 0.0))
    lashes = lash_colours(portrait.pixels, portrait.landmarks)
    touched = np.abs(out.astype(int) - 200).max(axis=2) > 3
    eyes = [inside(portrait, portrait.landmarks[list(eye), :2]) for eye in topology.EYES]
    assert 0 < touched.sum() < 0.7 * sum(eye.sum() for eye in eyes)
    darkest = out[touched].sum(axis=1).argmin()
    assert np.abs(out[touched][darkest].astype(float) - lashes).max(axis=1).min() < 50


def test_gaze_moves_the_iris_by_as_much_as_asked(portrait: Portrait) -> None:
    at_rest, aside = (drawn(portrait, target(portrait, gaze=gaze)) for gaze in (0.0, 0.07))
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        ring = portrait.landmarks[list(eye), :2]
        width = float(np.linalg.norm(ring[8] - ring[0]))
        centre = portrait.landmarks[iris[0], :2]
        moved = target(portrait, gaze=0.07)[iris[0], :2] - centre
        assert np.linalg.norm(moved) == pytest.approx(0.07 * width, rel=0.1)
        radius = np.linalg.norm(portrait.landmarks[list(iris[1:]), :2] - centre, axis=1).mean()
        found = _shift(at_rest, aside, centre, int(0.7 * radius))
        np.testing.assert_allclose(found, moved, atol=0.7)


def test_gaze_leaves_the_corners_where_they_are(portrait: Portrait) -> None:
    at_rest, aside = (drawn(portrait, target(portrait, gaze=gaze)) for gaze in (0.0, 0.05))
    for eye in topology.EYES:
        ring = portrait.landmarks[list(eye), :2]
        for corner in (ring[0], ring[8]):
            x, y = np.rint(corner + 0.08 * (ring.mean(axis=0) - corner)).astype(int)
            assert np.abs(at_rest[y, x].astype(int) - aside[y, x]).max() < 25


def test_wider_lids_show_an_eye_and_no_skin(portrait: Portrait) -> None:
    to = target(portrait, 1.4)
    black, white = (drawn(portrait, to, skin=skin) for skin in (0, 255))
    for eye in topology.EYES:
        seen = inside(portrait, to[list(eye), :2], 0.1)
        np.testing.assert_array_equal(black[seen], white[seen])


def test_eyes_out_of_the_picture_are_left_out(portrait: Portrait) -> None:
    out = np.full((64, 64, 3), 90, np.uint8)
    far = portrait.landmarks + [2000.0, 0.0, 0.0]
    Eyes(portrait.pixels, portrait.landmarks)(far, out)
    assert (out == 90).all()
    assert Box.around(far[:, :2], 2, 64, 64) is None


def test_an_eyes_frame_goes_there_and_back() -> None:
    angles = np.linspace(np.pi, -np.pi, 16, endpoint=False)
    ring = np.stack([100 + 20 * np.cos(angles), 60 + 6 * np.sin(angles)], axis=1)
    frame = eye_frame(ring)
    np.testing.assert_allclose(frame.pixels(frame.local(ring)), ring, atol=1e-9)
    np.testing.assert_allclose(frame.local(ring[[0, 8]])[:, 0], [-0.5, 0.5], atol=1e-9)


def test_a_line_of_no_strength_is_not_drawn(portrait: Portrait) -> None:
    out = portrait.pixels.copy()
    draw_lash_line(portrait.landmarks[list(topology.LEFT_EYE), :2], np.zeros(3), 0.0, out)
    np.testing.assert_array_equal(out, portrait.pixels)


def _shift(a: Pixels, b: Pixels, centre: Array, half: int) -> Array:
    """Where the patch of `a` around `centre` is found in `b`, relative to there, to a whole pixel."""
    x, y = np.rint(centre).astype(int)
    patch = a[y - half // 2 : y + half // 2 + 1, x - half : x + half + 1].astype(int)
    best, found = np.inf, (0, 0)
    for dy in range(-2, 3):
        for dx in range(-8, 9):
            rows = slice(y + dy - half // 2, y + dy + half // 2 + 1)
            off = float(np.abs(b[rows, x + dx - half : x + dx + half + 1].astype(int) - patch).mean())
            if off < best:
                best, found = off, (dx, dy)
    return np.array(found, dtype=np.float64)


def size_of(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]
